import { expect, it } from 'vitest'
import { InvalidArgumentError, NonFiniteValueError, ShapeMismatchError } from './errors.ts'
import { createRandom } from './reference.ts'
import { fitTemperature, readTemperature } from './temperature.ts'

/** Rows of `classCount` random scores whose targets are drawn from `softmax(scores / temperature)`. */
function createSample(rows: number, classCount: number, temperature: number, seed: number) {
  const random = createRandom(seed)
  const data = Float32Array.from({ length: rows * classCount }, () => 6 * random())
  const targets = Int32Array.from({ length: rows }, (_, row) => {
    const weights = Array.from(data.subarray(row * classCount, (row + 1) * classCount), (z) =>
      Math.exp(z / temperature),
    )
    let rest = random() * weights.reduce((sum, weight) => sum + weight, 0)
    return weights.findIndex((weight) => {
      rest -= weight
      return rest <= 0
    })
  })
  return { scores: { data, rows, classCount }, targets }
}

it.each([0.5, 1, 2.5])('finds the temperature %d that the targets were drawn at', (temperature) => {
  expect(fitTemperature(createSample(20_000, 10, temperature, 3)) / temperature).toBeCloseTo(1, 1)
})

it('finds the minimum that a fine search finds', () => {
  const sample = createSample(500, 4, 1.7, 5)
  const { data, classCount } = sample.scores
  const likelihoodAt = (temperature: number) =>
    sample.targets.reduce((sum, target, row) => {
      const scores = Array.from(data.subarray(row * classCount, (row + 1) * classCount), (z) => z / temperature)
      return sum + Math.log(scores.reduce((total, z) => total + Math.exp(z), 0)) - (scores[target] ?? Number.NaN)
    }, 0)
  const best = fitTemperature(sample)
  for (const factor of [0.9, 0.99, 0.999, 1.001, 1.01, 1.1]) {
    expect(likelihoodAt(best)).toBeLessThan(likelihoodAt(best * factor))
  }
})

it('scales with the scores', () => {
  const { scores, targets } = createSample(1000, 5, 1.3, 7)
  const tenfold = { ...scores, data: scores.data.map((score) => 10 * score) }
  expect(fitTemperature({ scores: tenfold, targets }) / fitTemperature({ scores, targets })).toBeCloseTo(10, 3)
})

it('stays positive and finite for samples that are all right, all wrong, without spread, or huge', () => {
  const scores = { data: Float32Array.of(9, 0, 0, 9), rows: 2, classCount: 2 }
  const huge = { ...scores, data: Float32Array.of(3e38, -3e38, 0, 1e38) }
  const flat = { ...scores, data: new Float32Array(4) }
  const fits = [scores, huge, flat].flatMap((each) =>
    [Int32Array.of(0, 1), Int32Array.of(1, 0)].map((targets) => fitTemperature({ scores: each, targets })),
  )
  for (const temperature of fits) expect(temperature > 0 && Number.isFinite(temperature)).toBe(true)
  expect(fits.at(-1)).toBe(1)
})

it('refuses samples that cannot be fitted', () => {
  const scores = { data: Float32Array.of(1, 2, 3, 4), rows: 2, classCount: 2 }
  const targets = Int32Array.of(0, 1)
  expect(() => fitTemperature({ scores, targets: Int32Array.of(0, 2) })).toThrow(InvalidArgumentError)
  expect(() => fitTemperature({ scores, targets: Int32Array.of(0) })).toThrow(ShapeMismatchError)
  expect(() => fitTemperature({ scores: { ...scores, classCount: 3 }, targets })).toThrow(ShapeMismatchError)
  const none = { data: new Float32Array(0), rows: 0, classCount: 2 }
  expect(() => fitTemperature({ scores: none, targets: new Int32Array(0) })).toThrow(InvalidArgumentError)
  const broken = { ...scores, data: Float32Array.of(1, 2, Number.NaN, 4) }
  expect(() => fitTemperature({ scores: broken, targets })).toThrow(NonFiniteValueError)
})

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null])('refuses the temperature %s', (temperature) => {
  expect(() => readTemperature({ temperature })).toThrow(InvalidArgumentError)
})
