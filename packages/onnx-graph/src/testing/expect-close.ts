import { expect } from 'vitest'
import type { FloatTensor } from '../../../../tooling/run-onnx.ts'

/** Expects equal shapes, and values that differ by at most `relative` of the largest expected magnitude. */
export function expectClose(actual: FloatTensor | undefined, expected: FloatTensor | undefined, relative = 1e-5): void {
  if (actual === undefined || expected === undefined) throw new Error('A tensor to compare is missing.')
  expect(actual.dims).toEqual(expected.dims)
  const scale = expected.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  const difference = expected.data.reduce((largest, value, i) => {
    return Math.max(largest, Math.abs(value - (actual.data[i] ?? Number.NaN)))
  }, 0)
  expect(difference).toBeLessThanOrEqual(relative * scale)
}
