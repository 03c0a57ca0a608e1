import { create } from '@bufbuild/protobuf'
import { countElements, type DataType, type Tensor, type TensorDataTypes } from '@sluice/core'
import { ExternalDataError, UnsupportedGraphError } from './errors.ts'
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from './generated/onnx_pb.ts'
import type { ExternalDataReader } from './onnx-model.ts'

/** One element type: its number in the file format, and the array and inline field that hold it. */
interface ElementType<T extends DataType> {
  readonly code: number
  readonly bytes: number
  readonly view: (buffer: ArrayBuffer) => TensorDataTypes[T]
  /** The values where a file keeps them in the typed field instead of `raw_data`. */
  readonly inline: (proto: TensorProto) => TensorDataTypes[T]
}

const elementTypes: { readonly [T in DataType]: ElementType<T> } = {
  float32: {
    code: 1,
    bytes: 4,
    view: (buffer) => new Float32Array(buffer),
    inline: (proto) => Float32Array.from(proto.floatData),
  },
  uint8: {
    code: 2,
    bytes: 1,
    view: (buffer) => new Uint8Array(buffer),
    inline: (proto) => Uint8Array.from(proto.int32Data),
  },
  int32: {
    code: 6,
    bytes: 4,
    view: (buffer) => new Int32Array(buffer),
    inline: (proto) => Int32Array.from(proto.int32Data),
  },
  int64: {
    code: 7,
    bytes: 8,
    view: (buffer) => new BigInt64Array(buffer),
    inline: (proto) => BigInt64Array.from(proto.int64Data),
  },
  bool: {
    code: 9,
    bytes: 1,
    view: (buffer) => new Uint8Array(buffer),
    inline: (proto) => Uint8Array.from(proto.int32Data),
  },
}

/** The file format's number of an element type. */
export function elementTypeCode(type: DataType): number {
  return elementTypes[type].code
}

/** The element type of a file format number; undefined for types that Sluice does not hold in memory. */
export function dataTypeOf(code: number): DataType | undefined {
  return (Object.keys(elementTypes) as DataType[]).find((type) => elementTypes[type].code === code)
}

/** Shape of a tensor message as numbers. */
export function dimsOf(proto: TensorProto): number[] {
  return proto.dims.map(Number)
}

/**
 * Decodes a tensor message into host memory (a copy). External data is read through `externalData`.
 * @throws UnsupportedGraphError for an element type that Sluice does not compute with, or values that do not fill the shape
 * @throws ExternalDataError when the values lie in a file that cannot be read
 */
export function convertTensorProtoToTensor(proto: TensorProto, externalData: ExternalDataReader | null): Tensor {
  const type = dataTypeOf(proto.dataType)
  if (type === undefined) {
    throw new UnsupportedGraphError(
      `Tensor '${proto.name}' has ONNX element type ${proto.dataType}; Sluice reads float32, int32, int64, uint8 and bool.`,
    )
  }
  const dims = dimsOf(proto)
  const raw = readRawData(proto, externalData)
  const { bytes, view, inline } = elementTypes[type]
  if (raw !== null) checkLength(proto, raw.length / bytes)
  const data = raw === null ? inline(proto) : view(alignedCopy(raw))
  if (raw === null) checkLength(proto, data.length)
  return { type, dims, data }
}

/** Encodes a tensor as a message that shares `tensor.data`'s memory. */
export function convertTensorToTensorProto(name: string, tensor: Tensor): TensorProto {
  const { buffer, byteOffset, byteLength } = tensor.data
  return create(TensorProtoSchema, {
    name,
    dims: tensor.dims.map(BigInt),
    dataType: elementTypeCode(tensor.type),
    rawData: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
  })
}

/** The raw little-endian bytes of a tensor message, wherever they lie; null when a typed field holds the values. */
export function readRawData(proto: TensorProto, externalData: ExternalDataReader | null): Uint8Array | null {
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) return readExternalData(proto, externalData)
  const isInline = proto.floatData.length + proto.int32Data.length + proto.int64Data.length > 0
  return isInline ? null : proto.rawData
}

function checkLength(proto: TensorProto, length: number): void {
  const dims = dimsOf(proto)
  if (dims.every((size) => size >= 0) && countElements(dims) === length) return
  throw new UnsupportedGraphError(
    `Tensor '${proto.name}' of shape [${dims.join(', ')}] holds ${length} values. The file is damaged; export it again.`,
  )
}

function readExternalData(proto: TensorProto, externalData: ExternalDataReader | null): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]))
  const location = entries.get('location') ?? ''
  if (externalData === null) {
    throw new ExternalDataError(location, `holds the weights '${proto.name}', but no folder to look for it was given.`)
  }
  const length = entries.get('length')
  return externalData(location, Number(entries.get('offset') ?? 0), length === undefined ? undefined : Number(length))
}

/** Typed arrays need aligned offsets, which views into a file do not have. */
function alignedCopy(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
