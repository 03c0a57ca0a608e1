/**
 * A gate's threshold for readers: `off` where the gate is off, `never` where it stays only for the gates behind, which look
 * at its scores.
 *
 * @param threshold null or infinite where the gate is off
 * @param digits behind the decimal point
 */
export function formatThreshold(threshold: number | null, digits: number): string {
  if (threshold === null || threshold === Number.POSITIVE_INFINITY) return 'off'
  return threshold === Number.MAX_VALUE ? 'never' : threshold.toFixed(digits)
}
