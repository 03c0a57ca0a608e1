import { InvalidArgumentError } from '@sluice/core'
import { expect, it } from 'vitest'
import { bernoulliDivergence, checkGuarantee, countSamplesNeeded, hoeffdingBentkusPValue } from './p-value.ts'

it('the divergence is 0 of a coin to itself, and known at the corners', () => {
  for (const chance of [0, 1e-12, 0.3, 1 - 1e-12, 1]) expect(bernoulliDivergence(chance, chance)).toBeCloseTo(0, 12)
  expect(bernoulliDivergence(0, 0.25)).toBeCloseTo(-Math.log(0.75), 15)
  expect(bernoulliDivergence(1, 0.25)).toBeCloseTo(-Math.log(0.25), 15)
  expect(bernoulliDivergence(0.5, 0)).toBe(Number.POSITIVE_INFINITY)
  expect(bernoulliDivergence(0.5, 1)).toBe(Number.POSITIVE_INFINITY)
  expect(bernoulliDivergence(0.5, 0.25)).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 15)
})

it('without a loss the p-value is the chance of none, (1 - bound)^n', () => {
  for (const [samples, bound] of [
    [1, 0.5],
    [1, 1e-6],
    [1, 1 - 1e-6],
    [100, 0.01],
    [500, 0.02],
    [2000, 0.001],
  ] as const) {
    const exact = (1 - bound) ** samples
    expect(hoeffdingBentkusPValue(0, samples, bound) / exact).toBeCloseTo(1, 10)
  }
})

it('is 1 where the samples show a risk of the bound or more', () => {
  expect(hoeffdingBentkusPValue(1, 1, 0.5)).toBe(1)
  expect(hoeffdingBentkusPValue(100, 100, 0.99)).toBe(1)
  expect(hoeffdingBentkusPValue(20, 1000, 0.02)).toBe(1)
  expect(hoeffdingBentkusPValue(0, 10, 0)).toBe(1)
})

it('takes the lesser of the two inequalities', () => {
  // n = 5, one loss, bound 1/2: Hoeffding exp(-5 KL(0.2 || 0.5)) = 5^5 / (4^4 2^5), Bentkus e 6 / 32.
  expect(hoeffdingBentkusPValue(1, 5, 0.5)).toBeCloseTo(3125 / (256 * 32), 14)
  // n = 2000, 10 losses, bound 1/100: there the binomial tail is the lesser.
  const hoeffding = Math.exp(-2000 * bernoulliDivergence(0.005, 0.01))
  expect(hoeffdingBentkusPValue(10, 2000, 0.01)).toBeLessThan(hoeffding)
})

it('falls with the samples, and rises with the losses', () => {
  const values = [0, 1, 2, 5, 9].map((losses) => hoeffdingBentkusPValue(losses, 1000, 0.01))
  expect(values).toEqual(values.toSorted((a, b) => a - b))
  expect(hoeffdingBentkusPValue(4, 2000, 0.01)).toBeLessThan(hoeffdingBentkusPValue(2, 1000, 0.01))
})

it('so many samples are needed as let a calibration without a loss pass', () => {
  for (const [bound, confidence] of [
    [0.01, 0.95],
    [0.02, 0.9],
    [0.5, 0.5],
    [0.001, 0.99],
  ] as const) {
    const needed = countSamplesNeeded(bound, confidence)
    expect(hoeffdingBentkusPValue(0, needed, bound)).toBeLessThanOrEqual(1 - confidence + 1e-12)
    if (needed > 1) expect(hoeffdingBentkusPValue(0, needed - 1, bound)).toBeGreaterThan(1 - confidence)
  }
  expect(countSamplesNeeded(0.01, 0.95)).toBe(299)
})

it('refuses bounds and confidences that promise nothing or everything', () => {
  for (const target of [
    { bound: 0, confidence: 0.9 },
    { bound: 1, confidence: 0.9 },
    { bound: 0.1, confidence: 1 },
    { bound: 0.1, confidence: Number.NaN },
  ]) {
    expect(() => checkGuarantee(target)).toThrow(InvalidArgumentError)
  }
})
