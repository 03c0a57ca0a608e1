/** The middle value, or the mean of the two in the middle. NaN for no values. */
export function findMedian(values: readonly number[]): number {
  return findQuantile(Float64Array.from(values).sort(), 0.5)
}

/** The quantile of sorted values, linear between neighbours. @param chance 0..1 */
export function findQuantile(sorted: Float64Array, chance: number): number {
  const place = chance * (sorted.length - 1)
  const lower = sorted[Math.floor(place)] ?? Number.NaN
  const upper = sorted[Math.ceil(place)] ?? Number.NaN
  return lower + (place - Math.floor(place)) * (upper - lower)
}
