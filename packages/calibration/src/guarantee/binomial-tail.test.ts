import { expect, it } from 'vitest'
import { binomialTail } from './binomial-tail.ts'

/** `P[Bin(n, a / b) <= k]` in whole numbers: the numerator over `b ** n`, rounded once. */
function exactTail(k: number, n: number, a: bigint, b: bigint): number {
  let choices = 1n
  let sum = 0n
  for (let j = 0; j <= Math.min(k, n); j++) {
    sum += choices * a ** BigInt(j) * (b - a) ** BigInt(n - j)
    choices = (choices * BigInt(n - j)) / BigInt(j + 1)
  }
  return divide(sum, b ** BigInt(n))
}

/** A quotient below 1 of whole numbers, as the nearest double but for one rounding. */
function divide(numerator: bigint, denominator: bigint): number {
  const shift = denominator.toString(2).length - numerator.toString(2).length + 64
  return Number((numerator << BigInt(shift)) / denominator) * 2 ** -shift
}

const cases = [
  { n: 1, k: [0, 1], p: [1n, 2n] },
  { n: 1, k: [0], p: [1n, 2n ** 20n] },
  { n: 1, k: [0], p: [2n ** 20n - 1n, 2n ** 20n] },
  { n: 5, k: [0, 1, 2, 3, 4, 5], p: [1n, 3n] },
  { n: 100, k: [0, 1, 5, 10, 50, 99], p: [1n, 20n] },
  { n: 500, k: [0, 1, 2, 5, 12, 400], p: [1n, 100n] },
  { n: 500, k: [100, 450, 499], p: [99n, 100n] },
  { n: 2000, k: [0, 5, 19, 20, 21, 40], p: [1n, 100n] },
  { n: 2000, k: [900, 1000, 1100], p: [1n, 2n] },
  { n: 2000, k: [0, 1], p: [1n, 2n ** 20n] },
] as const

it.each(cases)('is the sum of $n trials as exact fractions give it', ({ n, k, p: [a, b] }) => {
  for (const successes of k) {
    const exact = exactTail(successes, n, a, b)
    const value = binomialTail(successes, n, Number(a) / Number(b))
    const complement = 1 - exact
    const scale = successes < (n * Number(a)) / Number(b) ? exact : Math.max(complement, 1e-3)
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(1e-12 * scale)
  }
})

it('is 0 or 1 where nothing is left to chance', () => {
  expect([binomialTail(-1, 4, 0.5), binomialTail(4, 4, 0.5), binomialTail(9, 4, 0.5)]).toEqual([0, 1, 1])
  expect([binomialTail(0, 4, 0), binomialTail(3, 4, 1), binomialTail(4, 4, 1)]).toEqual([1, 0, 1])
  expect(binomialTail(0, 0, 0.3)).toBe(1)
})
