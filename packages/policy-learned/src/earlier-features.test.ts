import { expect, it } from 'vitest'
import { countFeatures, extractEarlierFeatures } from './earlier-features.ts'
import { extractFeatures, featureCount } from './score-features.ts'

const scores = (classCount: number, ...data: number[]) => ({
  data: Float32Array.from(data),
  rows: data.length / classCount,
  classCount,
})

it("begins with the gate's own features", () => {
  const own = scores(3, 4, 1, 0, -1, 2, 5)
  const features = extractEarlierFeatures([scores(3, 1, 2, 3, 4, 5, 6), own], [1, 2])
  const alone = extractFeatures(own, 2)
  for (const row of [0, 1]) {
    const start = row * countFeatures(1)
    expect(features.slice(start, start + featureCount)).toEqual(
      alone.slice(row * featureCount, (row + 1) * featureCount),
    )
  }
  expect(extractEarlierFeatures([own], [2])).toEqual(alone)
})

it('adds what each earlier gate thinks of the answer', () => {
  const p = [0.2, 0.5, 0.3] as const
  const before = scores(3, ...p.map((value) => 2 * Math.log(value)))
  const between = scores(3, 9, 0, 0)
  const features = extractEarlierFeatures([before, between, scores(3, 3, 1, 0)], [2, 1, 1])
  const [logOdds, same, logOddsBetween, sameBetween] = features.slice(featureCount)
  expect(logOdds).toBeCloseTo(Math.log(0.2 / 0.8), 5)
  expect(same).toBe(0)
  expect(logOddsBetween).toBeCloseTo(9 - Math.log(2), 5)
  expect(sameBetween).toBe(1)
})

it('stays finite for scores far apart and for a single class', () => {
  const far = extractEarlierFeatures([scores(2, 3e38, -3e38), scores(2, -3e38, 3e38)], [1e-3, 1e-3])
  const single = extractEarlierFeatures([scores(1, 3), scores(1, 5)], [1, 1])
  expect([...far.slice(featureCount), ...single.slice(featureCount)]).toEqual([-40, 0, 40, 1])
})
