import { describe, expect, test } from 'vitest'
import { decodeNpyValues, encodeNpy, npyElementBytes, parseNpy, parseNpyHeader } from './npy.ts'

/** A file as numpy lays it out, by version of the format. */
function npyFile(version: number, descr: string, shape: string, values: ArrayBufferLike, order = 'False'): Uint8Array {
  const text = `{'descr': ${descr.startsWith('[') ? descr : `'${descr}'`}, 'fortran_order': ${order}, 'shape': (${shape}), }\n`
  const length = version === 1 ? [text.length, 0] : [text.length, 0, 0, 0]
  return Uint8Array.from([
    0x93,
    ...Buffer.from('NUMPY'),
    version,
    0,
    ...length,
    ...Buffer.from(text),
    ...new Uint8Array(values),
  ])
}

describe('parseNpy', () => {
  test.each([1, 2, 3])('reads version %i', (version) => {
    const file = npyFile(version, '<f4', '2, 2', Float32Array.from([1, 2, 3, 4]).buffer)
    expect(parseNpy('x', file)).toEqual({ shape: [2, 2], data: Float32Array.from([1, 2, 3, 4]) })
  })

  test.each([
    ['<f8', Float64Array.from([-1.5, 2, 300]).buffer, [-1.5, 2, 300]],
    ['|u1', Uint8Array.from([0, 7, 255]).buffer, [0, 7, 255]],
    ['<i4', Int32Array.from([-1, 2, 70_000]).buffer, [-1, 2, 70_000]],
    ['<i8', BigInt64Array.from([-1n, 2n, 70_000n]).buffer, [-1, 2, 70_000]],
  ])('reads element type %s', (descr, buffer, values) => {
    expect(Array.from(parseNpy('x', npyFile(1, descr, '3,', buffer)).data)).toEqual(values)
  })

  test.each([
    ['no npy file', Uint8Array.from([1, 2, 3]), /x is not an npy file of version 1 to 3/],
    ['an unknown version', npyFile(4, '<f4', '0,', new ArrayBuffer(0)), /version 1 to 3/],
    ['big endian', npyFile(1, '>f4', '1,', new ArrayBuffer(4)), /element type '>f4'; save it as one of <f4/],
    ['Fortran order', npyFile(1, '<f4', '1,', new ArrayBuffer(4), 'True'), /Fortran order.*ascontiguousarray/],
    ['a file cut short', npyFile(1, '<f4', '2,', new ArrayBuffer(7)), /declares \d+ \(<f4 of \[2\]\); it is truncated/],
    ['a file too long', npyFile(1, '<f4', '2,', new ArrayBuffer(9)), /truncated or damaged/],
    ['a record array', npyFile(1, "[('a', '<f4')]", '2,', new ArrayBuffer(8)), /x holds no plain array/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseNpy('x', bytes)).toThrow(message)
  })
})

describe('encodeNpy', () => {
  test.each([
    [Float32Array.from([0.5, -1, 3, 4, 5, 6]), [2, 3]],
    [Int32Array.from([1, -2, 3]), [3]],
    [Uint8Array.from([1, 2, 255, 4]), [1, 2, 2]],
  ])('writes what parseNpy reads back', (data, shape) => {
    expect(parseNpy('x', encodeNpy(data, shape))).toEqual({ shape, data: Float32Array.from(data) })
  })

  test('starts the values at a multiple of 64 bytes, as the format asks for', () => {
    const file = encodeNpy(new Float32Array(1000), [10, 100])
    expect(parseNpyHeader('x', file, file.length).dataOffset % 64).toBe(0)
  })
})

test('decodeNpyValues decodes a piece that does not start at an aligned address', () => {
  const bytes = new Uint8Array([0, ...new Uint8Array(Float32Array.from([1.5, 2.5]).buffer)]).subarray(1)
  expect(Array.from(decodeNpyValues('<f4', bytes))).toEqual([1.5, 2.5])
  expect(npyElementBytes('<f4')).toBe(4)
})
