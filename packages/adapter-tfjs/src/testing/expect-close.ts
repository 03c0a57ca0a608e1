import { expect } from 'vitest'

/** Fails unless both have the same length and `|actual - expected| <= atol + rtol * |expected|` for each value. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol, atol }: { readonly rtol: number; readonly atol: number },
): void {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number]
    expect(Math.abs(a - e), `value ${i}: ${a} against ${e}`).toBeLessThanOrEqual(atol + rtol * Math.abs(e))
  }
}
