import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { stakes } from './running-risk.ts'
import { countMeanCapital, createDriftDetector, estimateAge, noEvidence } from './shiryaev-roberts.ts'

const bound = 0.02
const addLoss = createDriftDetector(bound)

it('sums over all beginnings what each bet pays since', () => {
  const losses = [0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0]
  const evidence = losses.reduce(addLoss, noEvidence)
  const copies = stakes.flatMap((stake) =>
    losses.map((_, start) => ({
      age: losses.length - start,
      capital: losses
        .slice(start)
        .reduce((product, loss) => (product * Math.exp(stake * loss)) / (1 - bound + bound * Math.exp(stake)), 1),
    })),
  )
  const total = copies.reduce((sum, { capital }) => sum + capital, 0)
  const aged = copies.reduce((sum, { age, capital }) => sum + age * capital, 0)
  expect(countMeanCapital(evidence) / (total / stakes.length)).toBeCloseTo(1, 12)
  expect(estimateAge(evidence) / (aged / total)).toBeCloseTo(1, 12)
})

it('grows by exactly 1 per row on average at the bound, by less below it, by more above it', () => {
  const start = [0, 1, 0, 0, 1].reduce(addLoss, noEvidence)
  const growthAt = (risk: number) => {
    const [without, after] = [0, 1].map((loss) => countMeanCapital(addLoss(start, loss))) as [number, number]
    return (1 - risk) * without + risk * after - countMeanCapital(start)
  }
  expect(growthAt(bound)).toBeCloseTo(1, 12)
  expect(growthAt(0.5 * bound)).toBeLessThan(1)
  expect(growthAt(2 * bound)).toBeGreaterThan(1)
})

it('stays finite over a long stream without a loss, and over one of nothing else until any alarm', () => {
  const random = createRandom(1)
  let quiet = noEvidence
  for (let row = 0; row < 100_000; row++) quiet = addLoss(quiet, random() < bound / 10 ? 1 : 0)
  expect(countMeanCapital(quiet)).toBeGreaterThan(0)
  expect(countMeanCapital(quiet)).toBeLessThan(1e4)
  let bad = noEvidence
  while (countMeanCapital(bad) < 1e12) bad = addLoss(bad, 1)
  expect(estimateAge(bad)).toBeLessThanOrEqual(10)
})
