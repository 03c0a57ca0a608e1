import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { fitLogisticRegression } from './logistic-regression.ts'

const random = createRandom(5)
const rows = 20_000
const features = Float64Array.from({ length: 3 * rows }, (_, i) => [10 * random(), random() - 0.5, 7][i % 3] ?? 0)
const outcomes = Uint8Array.from({ length: rows }, (_, row) => {
  const logit = 0.4 * (features[3 * row] ?? 0) - 3 * (features[3 * row + 1] ?? 0) - 2
  return random() < 1 / (1 + Math.exp(-logit)) ? 1 : 0
})

it('finds the weights that the outcomes were drawn with, and none for a constant feature', () => {
  const { weights, deviations, means, intercept } = fitLogisticRegression(features, outcomes, [1, 1, 1])
  const perUnit = weights.map((weight, k) => weight / (deviations[k] ?? 0))
  expect(perUnit[0]).toBeCloseTo(0.4, 1)
  expect(Math.abs((perUnit[1] ?? 0) + 3)).toBeLessThan(0.2)
  expect(perUnit[2]).toBeCloseTo(0, 6)
  expect(intercept - perUnit.reduce((sum, weight, k) => sum + weight * (means[k] ?? 0), 0)).toBeCloseTo(-2, 0)
})

it('stands where the penalised likelihood is flat', () => {
  const penalties = [50, 20, 80]
  const { weights, deviations, means, intercept } = fitLogisticRegression(features, outcomes, penalties)
  const gradient = [0, 0, 0]
  outcomes.forEach((outcome, row) => {
    const x = weights.map((_, k) => ((features[3 * row + k] ?? 0) - (means[k] ?? 0)) / (deviations[k] ?? 0))
    const logit = x.reduce((sum, value, k) => sum + value * (weights[k] ?? 0), intercept)
    const residual = outcome - 1 / (1 + Math.exp(-logit))
    x.forEach((value, k) => {
      gradient[k] = (gradient[k] ?? 0) + residual * value
    })
  })
  gradient.forEach((value, k) => {
    expect(value).toBeCloseTo((penalties[k] ?? 0) * (weights[k] ?? 0), 4)
  })
})

it.each([0, 1])('stays finite where every outcome is %d', (outcome) => {
  const model = fitLogisticRegression(features.subarray(0, 30), new Uint8Array(10).fill(outcome), [1, 1, 1])
  expect([model.intercept, ...model.weights].every(Number.isFinite)).toBe(true)
  expect(Math.sign(model.intercept)).toBe(outcome === 1 ? 1 : -1)
})
