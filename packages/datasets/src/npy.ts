import { countElements } from '@sluice/core'
import { DatasetError } from './errors.ts'

/** What the header of an npy file says. */
export interface NpyHeader {
  readonly elementType: NpyElementType
  readonly shape: readonly number[]
  /** Where the values start, in bytes. */
  readonly dataOffset: number
}

/** Element types that are read, by their npy name (little endian). */
export type NpyElementType = '<f4' | '<f8' | '|u1' | '<i4' | '<i8'

interface ElementFormat {
  readonly bytes: number
  decode(buffer: ArrayBuffer): ArrayLike<number>
}

const elementFormats: Readonly<Record<NpyElementType, ElementFormat>> = {
  '<f4': { bytes: 4, decode: (buffer) => new Float32Array(buffer) },
  '<f8': { bytes: 8, decode: (buffer) => new Float64Array(buffer) },
  '|u1': { bytes: 1, decode: (buffer) => new Uint8Array(buffer) },
  '<i4': { bytes: 4, decode: (buffer) => new Int32Array(buffer) },
  '<i8': { bytes: 8, decode: (buffer) => Float64Array.from(new BigInt64Array(buffer), Number) },
}

/** Bytes of one element. */
export function npyElementBytes(elementType: NpyElementType): number {
  return elementFormats[elementType].bytes
}

/** Bytes that surely hold the header of any npy file that numpy writes for a plain array. */
export const npyHeaderBytesAtMost = 65_536

/**
 * Parses the header of an npy file, versions 1 to 3 (numpy.lib.format), C order, little endian.
 * @param start the first bytes of the file, at least `npyHeaderBytesAtMost` or all there are
 * @param fileBytes size of the whole file
 * @throws DatasetError when it is not npy, of a type or order that is not read, or not of the size it declares
 */
export function parseNpyHeader(fileName: string, start: Uint8Array, fileBytes: number): NpyHeader {
  const { text, dataOffset } = readHeaderText(fileName, start)
  const elementType = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1]
  if (elementType === undefined || shape === undefined) {
    throw new DatasetError(`${fileName} holds no plain array (header ${text.trim()}); save one array of numbers.`)
  }
  if (!isElementType(elementType)) {
    throw new DatasetError(
      `${fileName} has element type '${elementType}'; save it as one of ${Object.keys(elementFormats).join(', ')}.`,
    )
  }
  if (!/'fortran_order'\s*:\s*False/.test(text)) {
    throw new DatasetError(`${fileName} is in Fortran order; save numpy.ascontiguousarray(array) instead.`)
  }
  const header = { elementType, shape: (shape.match(/\d+/g) ?? []).map(Number), dataOffset }
  checkSize(fileName, header, fileBytes)
  return header
}

/** Values of a piece of an npy file as 32-bit floats; wider types are rounded. `bytes` is a whole number of elements. */
export function decodeNpyValues(elementType: NpyElementType, bytes: Uint8Array): Float32Array {
  // The typed arrays need aligned memory, which a view into a file's bytes does not promise.
  const { buffer } = new Uint8Array(bytes)
  const values = elementFormats[elementType].decode(buffer)
  return values instanceof Float32Array ? values : Float32Array.from(values)
}

/** A whole npy file: its shape and its values as 32-bit floats. @throws DatasetError as `parseNpyHeader` */
export function parseNpy(
  fileName: string,
  bytes: Uint8Array,
): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const { elementType, shape, dataOffset } = parseNpyHeader(fileName, bytes, bytes.length)
  return { shape, data: decodeNpyValues(elementType, bytes.subarray(dataOffset)) }
}

/** An npy file (version 1) of an array in C order. */
export function encodeNpy(data: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): Uint8Array {
  const elementType = data instanceof Float32Array ? '<f4' : data instanceof Int32Array ? '<i4' : '|u1'
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${elementType}', 'fortran_order': False, 'shape': (${dims}), }`
  const headerBytes = Math.ceil((magic.length + 4 + text.length + 1) / 64) * 64
  const file = new Uint8Array(headerBytes + data.byteLength).fill(0x20, 0, headerBytes)
  file.set([...magic, 1, 0, (headerBytes - 10) & 0xff, (headerBytes - 10) >> 8])
  file.set(new TextEncoder().encode(text), magic.length + 4)
  file[headerBytes - 1] = 0x0a
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), headerBytes)
  return file
}

const magic: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

function readHeaderText(fileName: string, start: Uint8Array): { text: string; dataOffset: number } {
  const version = start[6] ?? 0
  const lengthBytes = version === 1 ? 2 : 4
  const textOffset = magic.length + 2 + lengthBytes
  if (!magic.every((byte, i) => start[i] === byte) || start.length < textOffset || version < 1 || version > 3) {
    throw new DatasetError(`${fileName} is not an npy file of version 1 to 3; save it with numpy.save.`)
  }
  const view = new DataView(start.buffer, start.byteOffset, textOffset)
  const textBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const text = new TextDecoder().decode(start.subarray(textOffset, textOffset + textBytes))
  return { text, dataOffset: textOffset + textBytes }
}

function isElementType(name: string): name is NpyElementType {
  return Object.hasOwn(elementFormats, name)
}

function checkSize(fileName: string, { elementType, shape, dataOffset }: NpyHeader, fileBytes: number): void {
  const expected = dataOffset + countElements(shape) * npyElementBytes(elementType)
  if (fileBytes === expected) return
  throw new DatasetError(
    `${fileName} has ${fileBytes} bytes and declares ${expected} (${elementType} of [${shape.join(', ')}]); it is truncated or damaged. Save it again.`,
  )
}
