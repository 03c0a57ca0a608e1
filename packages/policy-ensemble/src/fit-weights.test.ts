import type { ClassScores } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { mixRow } from './combine-scores.ts'
import { createObjective, fitWeights, readPoint } from './fit-weights.ts'
import { minimise } from './minimise.ts'

/** Scores of gates, and targets drawn from the ensemble of the given weights and biases. */
function createSample(rows: number, weights: readonly number[], bias: readonly number[], seed: number) {
  const random = createRandom(seed)
  const classCount = bias.length
  const gates = weights.map(
    (): ClassScores => ({
      data: Float32Array.from({ length: rows * classCount }, () => 8 * random()),
      rows,
      classCount,
    }),
  )
  const logits = new Float64Array(classCount)
  const targets = Int32Array.from({ length: rows }, (_, row) => {
    mixRow(logits, gates, row * classCount, { weights, bias })
    const chances = logits.map(Math.exp)
    let rest = random() * chances.reduce((sum, chance) => sum + chance, 0)
    return chances.findIndex((chance) => {
      rest -= chance
      return rest <= 0
    })
  })
  return { gates, targets }
}

it('finds the weights and biases that the targets were drawn with', () => {
  const [weights, bias] = [
    [0.2, 0.5, 1.2],
    [0.5, 0, -0.5, 0],
  ]
  const { gates, targets } = createSample(20_000, weights, bias, 1)
  const fitted = fitWeights(gates, targets)
  for (const [gate, weight] of weights.entries()) expect(fitted.weights[gate]).toBeCloseTo(weight, 1)
  // Biases that differ by a constant are the same ensemble; the penalty centres them.
  for (const [c, value] of bias.entries()) expect(Math.abs((fitted.bias[c] ?? Number.NaN) - value)).toBeLessThan(0.1)
})

it('weighs the same whatever the scale of a gate', () => {
  const { gates, targets } = createSample(2000, [0.3, 0.8], [0, 0, 0], 2)
  const fitted = fitWeights(gates, targets)
  const stretched = gates.map((gate, index) => ({
    ...gate,
    data: gate.data.map((z) => z * (index === 0 ? 100 : 0.01)),
  }))
  const again = fitWeights(stretched, targets)
  expect((again.weights[0] ?? 0) * 100).toBeCloseTo(fitted.weights[0] ?? 0, 3)
  expect((again.weights[1] ?? 0) * 0.01).toBeCloseTo(fitted.weights[1] ?? 0, 3)
})

it('gives no gate a negative weight, and one that only misleads next to none', () => {
  const { gates, targets } = createSample(3000, [1, -0.5], [0, 0, 0], 3)
  const [useful = 0, misleading = 0] = fitWeights(gates, targets).weights
  expect(misleading).toBeGreaterThan(0)
  expect(misleading).toBeLessThan(0.02 * useful)
})

it('stays near to equal weights and no bias where there is little to learn from', () => {
  const { gates, targets } = createSample(1, [1, 1], [0, 0, 0], 4)
  const { weights, bias } = fitWeights(
    [gates[0], gates[0]].filter((gate) => gate !== undefined),
    targets,
  )
  expect(weights[0]).toBeCloseTo(weights[1] ?? 0, 6)
  for (const value of bias) expect(Math.abs(value)).toBeLessThan(1)
})

it('has an objective whose gradient is that of finite differences', () => {
  const { gates, targets } = createSample(50, [0.5, 1], [0.3, 0, -0.3], 5)
  const objective = createObjective(gates, targets, [0.7, 1.3])
  const point = Float64Array.of(-0.5, 0.2, 0.1, -0.2, 0.3)
  const gradient = new Float64Array(5)
  objective(point, gradient)
  for (const i of point.keys()) {
    const valueAt = (offset: number) => objective(point.with(i, (point[i] ?? 0) + offset), new Float64Array(5))
    expect(gradient[i]).toBeCloseTo((valueAt(1e-5) - valueAt(-1e-5)) / 2e-5, 6)
  }
})

it('converges within 60 steps on a hundred classes and six gates', () => {
  const bias = Array.from({ length: 100 }, (_, c) => (c % 7) / 10)
  const { gates, targets } = createSample(1000, [0.1, 0.1, 0.2, 0.3, 0.4, 0.9], bias, 6)
  const inverses = gates.map(() => 1)
  const objective = createObjective(gates, targets, inverses)
  const start = new Float64Array(106).fill(Math.log(1 / 6), 0, 6)
  const { gradient, steps, value } = minimise(objective, start, { gradientTolerance: 1e-5, maxSteps: 60 })
  expect(steps).toBeLessThan(60)
  expect(Math.hypot(...gradient)).toBeLessThan(1e-4)
  const exact = minimise(objective, start, { gradientTolerance: 1e-8, maxSteps: 200 })
  expect(value - exact.value).toBeLessThan(1e-6)
  expect(readPoint(exact.point, inverses).weights.every((weight) => weight > 0)).toBe(true)
})
