import { countElements } from '@sluice/core'
import { DatasetError } from './errors.ts'

/** An IDX array of unsigned bytes. `data` is a view into the parsed bytes. */
export interface IdxArray {
  readonly dims: readonly number[]
  readonly data: Uint8Array
}

const unsignedByte = 0x08

/**
 * Parses an IDX file (the MNIST family's format, http://yann.lecun.com/exdb/mnist): two zero bytes, element type, number
 * of dimensions, big-endian sizes, values.
 * @throws DatasetError when it is not IDX, holds other than unsigned bytes, or has other than the bytes it declares
 */
export function parseIdx(fileName: string, bytes: Uint8Array): IdxArray {
  const [zero0, zero1, type, rank = 0] = bytes
  const headerBytes = 4 + 4 * rank
  if (zero0 !== 0 || zero1 !== 0 || rank === 0 || bytes.length < headerBytes) {
    throw new DatasetError(`${fileName} is not an IDX file; pass an MNIST-style file, gzipped only if it ends in .gz.`)
  }
  if (type !== unsignedByte) {
    throw new DatasetError(`${fileName} holds IDX element type ${type}; only unsigned bytes (8) are read.`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes)
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  const expected = countElements(dims)
  const data = bytes.subarray(headerBytes)
  if (data.length !== expected) {
    throw new DatasetError(
      `${fileName} holds ${data.length} values and declares ${expected} ([${dims.join(', ')}]); it is truncated or damaged. Download it again.`,
    )
  }
  return { dims, data }
}
