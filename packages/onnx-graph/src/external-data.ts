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
  let sizeBytes = 0
  const initializer = model.graph.initializer.map((tensor) => {
    const inlined = inline(tensor, model.externalData)
    sizeBytes += inlined.rawData.length
    if (sizeBytes <= messageLimitBytes) return inlined
    const problem = `cannot be read into the model, which would exceed the 2 GB of one ONNX file at '${tensor.name}'.`
    throw new ExternalDataError(tensor.name, `${problem} Keep the weights in their own file.`)
  })
  return replaceGraphParts(model, { initializer })
}

function inline(tensor: TensorProto, externalData: ExternalDataReader | null): TensorProto {
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return tensor
  const rawData = readRawData(tensor, externalData) ?? new Uint8Array(0)
  const changes = { rawData, externalData: [], dataLocation: TensorProto_DataLocation.DEFAULT }
  return Object.assign(create(TensorProtoSchema), tensor, changes)
}
