import { expect, it } from 'vitest'
import { extractFeatures, featureCount } from './score-features.ts'

const featuresOf = (temperature: number, ...data: number[]) =>
  Array.from(extractFeatures({ data: Float32Array.from(data), rows: 1, classCount: data.length }, temperature))

it('holds log-odds, entropy, best score and leads over the temperature', () => {
  const p = [0.5, 0.125, 0.25, 0.125]
  const [logOdds, entropy, best, ...leads] = featuresOf(2, ...p.map((value) => 2 * Math.log(value)))
  expect(logOdds).toBeCloseTo(0, 6)
  expect(entropy).toBeCloseTo(-p.reduce((sum, value) => sum + value * Math.log(value), 0), 6)
  expect(best).toBeCloseTo(Math.log(0.5), 6)
  const expected = [Math.log(2), Math.log(4), Math.log(4), 40]
  leads.forEach((lead, k) => {
    expect(lead).toBeCloseTo(expected[k] ?? 0, 6)
  })
})

it('depends on the scores and not on which class has them', () => {
  const shuffled = featuresOf(1, 7, 0.5, 0, -4, 2, 1, 3)
  featuresOf(1, 3, 1, 2, -4, 0, 0.5, 7).forEach((value, k) => {
    expect(value).toBeCloseTo(shuffled[k] ?? Number.NaN, 12)
  })
})

it('is finite for a single class and for scores far apart', () => {
  for (const features of [featuresOf(1, 5), featuresOf(1e-3, 3e38, -3e38)]) {
    expect(features).toHaveLength(featureCount)
    expect(features.every(Number.isFinite)).toBe(true)
  }
})
