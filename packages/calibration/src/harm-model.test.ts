import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { fitHarmModel } from './harm-model.ts'

const random = createRandom(4)
const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const
const samples = 20_000
const scores = Float32Array.from({ length: samples }, () => 8 * random() - 4)
const allRight = new Uint8Array(samples).fill(1)
const draw = (harmAt: (score: number) => number) =>
  Uint8Array.from(scores, (score) => (random() < harmAt(score) ? 0 : 1))

it('finds the score at which harm has a given chance', () => {
  const right = draw((score) => 1 / (1 + Math.exp(2 * score - 1)))
  const model = fitHarmModel({ scores, right, range: unbounded }, allRight)
  for (const level of [-2, 0, 3]) expect(model.thresholdAt(level)).toBeCloseTo((level + 1) / 2, 1)
})

it('reads scores between two ends by their log-odds', () => {
  const right = draw((score) => 1 / (1 + Math.exp(score)))
  const probabilities = scores.map((score) => 1 / (1 + Math.exp(-score)))
  const model = fitHarmModel({ scores: probabilities, right, range: [0, 1] }, allRight)
  expect(model.thresholdAt(2)).toBeCloseTo(1 / (1 + Math.exp(-2)), 2)
  const doubled = fitHarmModel({ scores: probabilities.map((p) => 2 * p + 1), right, range: [1, 3] }, allRight)
  expect(doubled.thresholdAt(2)).toBeCloseTo(2 * model.thresholdAt(2) + 1, 2)
})

it('does not hold against a gate what the full network gets wrong too', () => {
  const right = draw(() => 0.5)
  const model = fitHarmModel({ scores, right, range: unbounded }, right)
  expect(model.lowestLevel).toBeGreaterThan(Math.log(samples / 2))
  expect(model.thresholdAt(5)).toBe(Math.fround(Math.min(...scores)))
})

it('fires for all or none where the score says nothing or the opposite', () => {
  const right = draw((score) => 1 / (1 + Math.exp(1 - score)))
  const model = fitHarmModel({ scores, right, range: unbounded }, allRight)
  expect(model.lowestLevel).toBe(model.highestLevel)
  expect(model.thresholdAt(model.highestLevel + 0.1)).toBe(Number.POSITIVE_INFINITY)
  expect(model.thresholdAt(model.highestLevel)).toBe(Math.min(...scores))
})

it('copes with one sample, equal scores, and scores at both ends of the range', () => {
  const range = [0, 1] as const
  const one = fitHarmModel({ scores: Float32Array.of(0.5), right: Uint8Array.of(0), range }, Uint8Array.of(1))
  expect(Number.isFinite(one.highestLevel)).toBe(true)
  const equal = { scores: new Float32Array(99).fill(0.3), right: new Uint8Array(99).fill(1, 9), range }
  const flat = fitHarmModel(equal, new Uint8Array(99).fill(1))
  expect(flat.lowestLevel).toBe(flat.highestLevel)
  expect(flat.highestLevel).toBeCloseTo(Math.log(10), 0)
  const ends = { scores: Float32Array.of(0, 0, 1, 1), right: Uint8Array.of(0, 0, 1, 1), range }
  const separated = fitHarmModel(ends, new Uint8Array(4).fill(1))
  expect(separated.thresholdAt(0)).toBeGreaterThan(0)
  expect(separated.thresholdAt(0)).toBeLessThan(1)
})
