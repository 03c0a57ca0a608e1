/** The largest difference of two lists of scores, relative to the expected one where that is over 1; NaN where one is missing. */
export function findLargestDifference(actual: Float32Array, expected: Float32Array): number {
  return expected.reduce((largest, value, index) => {
    const difference = Math.abs((actual[index] ?? Number.NaN) - value) / Math.max(1, Math.abs(value))
    // NaN must count as a difference, which Math.max alone would keep but `>` would not.
    return Math.max(largest, difference)
  }, 0)
}
