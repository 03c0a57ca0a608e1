import { create } from '@bufbuild/protobuf'
import { replaceGraphParts } from './edit-graph.ts'
import { ExternalDataError } from './errors.ts'
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from './generated/onnx_pb.ts'
import type { ExternalDataReader, OnnxModel } from './onnx-model.ts'
import { readRawData } from './tensor-proto.ts'

/** A protobuf message must stay below this. */
const messageLimitBytes = 2 ** 31 - 1

/**
 * A copy of a model that holds all weights itself; those kept in other files are read.
 *
 * @throws ExternalDataError when a file cannot be read, or the weights exceed the 2 GB that one file can hold
 */
export function inlineExternalData(model: OnnxModel): OnnxModel {
  const initializer = model.graph.initializer.map((tensor) => inline(tensor, model.externalData))
  const sizeBytes = initializer.reduce((sum, { rawData }) => sum + rawData.length, 0)
  if (sizeBytes > messageLimitBytes) {
    throw new ExternalDataError(
      '(all)',
      `cannot move into the model: ${sizeBytes} bytes exceed 2 GB. Keep it external.`,
    )
  }
  return replaceGraphParts(model, { initializer })
}

function inline(tensor: TensorProto, externalData: ExternalDataReader | null): TensorProto {
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return tensor
  const rawData = readRawData(tensor, externalData) ?? new Uint8Array(0)
  const changes = { rawData, externalData: [], dataLocation: TensorProto_DataLocation.DEFAULT }
  return Object.assign(create(TensorProtoSchema), tensor, changes)
}
