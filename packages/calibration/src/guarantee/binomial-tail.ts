/**
 * `P[Bin(n, p) <= k]`: the chance of at most `k` successes among `n`, each with chance `p`. Its relative error is some
 * 1e-13 while it is at most 1/2, and that of its complement beyond.
 *
 * The first term comes from Loader's saddle-point form ("Fast and accurate computation of binomial probabilities", 2000),
 * which loses no digits to large factorials; the others follow by their ratios.
 *
 * @param k whole number; below 0 the chance is 0, from `n` on it is 1
 * @param n whole number >= 0
 * @param p 0..1
 */
export function binomialTail(k: number, n: number, p: number): number {
  if (k < 0) return 0
  if (k >= n) return 1
  if (p <= 0) return 1
  if (p >= 1) return 0
  // Summing goes away from the mean, so that the terms shrink.
  return k < n * p ? sumDownwards(k, n, p) : 1 - sumDownwards(n - k - 1, n, 1 - p)
}

function sumDownwards(k: number, n: number, p: number): number {
  let term = binomialProbability(k, n, p)
  let sum = 0
  for (let successes = k; successes >= 0 && term > sum * Number.EPSILON * 1e-3; successes--) {
    sum += term
    term *= (successes * (1 - p)) / ((n - successes + 1) * p)
  }
  return sum
}

function binomialProbability(k: number, n: number, p: number): number {
  if (k === 0) return Math.exp(n * Math.log1p(-p))
  if (k === n) return p ** n
  const exponent =
    stirlingError(n) - stirlingError(k) - stirlingError(n - k) - deviance(k, n * p) - deviance(n - k, n * (1 - p))
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * k * (n - k)))
}

/** `ln n! - ln(sqrt(2 pi n) (n / e)^n)`. */
function stirlingError(n: number): number {
  if (n < 16) return stirlingErrors[n] ?? 0
  const square = n * n
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / (1188 * square)) / square) / square) / square) / n
}

const stirlingErrors = Array.from({ length: 16 }, (_, n) => {
  if (n === 0) return 0
  const factorial = Array.from({ length: n }, (_value, index) => index + 1).reduce(
    (product, factor) => product * factor,
    1,
  )
  return Math.log(factorial) - (0.5 * Math.log(2 * Math.PI * n) + n * Math.log(n) - n)
})

/** `x ln(x / mean) + mean - x`, without cancellation where `x` is near `mean`. */
function deviance(x: number, mean: number): number {
  const difference = x - mean
  if (Math.abs(difference) >= 0.1 * (x + mean)) return x * Math.log(x / mean) - difference
  const ratio = difference / (x + mean)
  let power = 2 * x * ratio
  let sum = difference * ratio
  for (let order = 1; ; order++) {
    power *= ratio * ratio
    const next = sum + power / (2 * order + 1)
    if (next === sum) return sum
    sum = next
  }
}
