import type { Tensor } from '@sluice/core'
import { ExternalDataError } from './errors.ts'
import { type TensorProto, TensorProto_DataLocation } from './generated/onnx_pb.ts'
import type { ExternalDataReader } from './onnx-model.ts'
import { isFoldable } from './operators/folding.ts'
import type { TensorInfo } from './tensor-info.ts'
import { convertTensorProtoToTensor, dataTypeOf, dimsOf } from './tensor-proto.ts'

/**
 * Describes a stored constant; small ones with their value. Of weights kept in another file only small integers are
 * read, since shape arithmetic needs no others, and they count as unknown where that file is missing: shapes and costs of
 * a network can be told without its weights.
 * @throws UnsupportedGraphError when the values do not fill the shape
 */
export function describeTensorProto(proto: TensorProto, externalData: ExternalDataReader | null): TensorInfo {
  const type = dataTypeOf(proto.dataType) ?? null
  const dims = dimsOf(proto)
  if (type === null || !isFoldable(dims)) return { type, dims, value: null }
  const isExternal = proto.dataLocation === TensorProto_DataLocation.EXTERNAL
  if (!isExternal) return { type, dims, value: convertTensorProtoToTensor(proto, null) }
  const isReadable = type !== 'float32' && externalData !== null
  return { type, dims, value: isReadable ? readIfPresent(proto, externalData) : null }
}

function readIfPresent(proto: TensorProto, externalData: ExternalDataReader): Tensor | null {
  try {
    return convertTensorProtoToTensor(proto, externalData)
  } catch (error) {
    if (error instanceof ExternalDataError) return null
    throw error
  }
}
