import { describe, expect, test } from 'vitest'
import { parseIdx } from './idx.ts'

const file = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])

describe('parseIdx', () => {
  test('reads sizes and values, also from a view that does not start at 0', () => {
    const view = Uint8Array.from([9, 9, ...file]).subarray(2)
    expect(parseIdx('x', view)).toEqual({ dims: [2, 3], data: Uint8Array.from([1, 2, 3, 4, 5, 6]) })
  })

  test('refuses what is no IDX file', () => {
    for (const bytes of [[], [0, 0, 8], [0, 0, 8, 0], [1, 0, 8, 1, 0, 0, 0, 0], [0, 0, 8, 3, 0, 0, 0, 1]]) {
      expect(() => parseIdx('x', Uint8Array.from(bytes))).toThrow(/x is not an IDX file/)
    }
  })

  test('refuses other element types, and more or fewer values than declared', () => {
    expect(() => parseIdx('x', Uint8Array.from([0, 0, 13, ...file.subarray(3)]))).toThrow(/element type 13/)
    expect(() => parseIdx('x', file.subarray(0, 17))).toThrow(
      /x holds 5 values and declares 6 \(\[2, 3\]\); it is trunc/,
    )
    expect(() => parseIdx('x', Uint8Array.from([...file, 7]))).toThrow(/x holds 7 values and declares 6/)
  })
})
