import { describePolicy } from '@sluice/conformance'
import type { GateSample } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { createLearnedFamily } from './confidence-family.ts'
import { createDeeperFamily } from './deeper-family.ts'

const family = createDeeperFamily()

describePolicy('learned-deeper', family)

/** Rows whose scores here are all alike: only the gate before tells how likely the answer is right. */
function createSample(rows: number, seed: number) {
  const random = createRandom(seed)
  const before = new Float32Array(3 * rows)
  const chances = Float64Array.from({ length: rows }, (_, row) => {
    const lead = 6 * random() - 3
    before.set([lead, 0, 0], 3 * row)
    return 1 / (1 + Math.exp(-1.5 * lead))
  })
  const data = Float32Array.from({ length: 3 * rows }, (_, i) => (i % 3 === 0 ? 2 : 0))
  const targets = Int32Array.from(chances, (chance) => (random() < chance ? 0 : 1))
  const scores = { data, rows, classCount: 3 }
  const sample: GateSample = { scores, targets, weightNorms: [1, 1, 1], earlier: [{ ...scores, data: before }] }
  return { sample, chances }
}

it('learns from the gate before when its own scores tell nothing', () => {
  const parameters = family.fit(createSample(5000, 1).sample)
  const { sample, chances } = createSample(2000, 2)
  const predicted = family.createScore(parameters)(sample.scores, { earlier: sample.earlier ?? [] })
  const error = predicted.reduce((sum, p, row) => sum + Math.abs(p - (chances[row] ?? 0)), 0) / 2000
  expect(error).toBeLessThan(0.03)
})

it('is the learned confidence at the first gate', () => {
  const { scores, targets, weightNorms } = createSample(200, 3).sample
  const sample = { scores, targets, weightNorms }
  const learned = createLearnedFamily()
  expect(family.createScore(family.fit(sample))(scores)).toEqual(learned.createScore(learned.fit(sample))(scores))
})

it('refuses other gates than it was fitted with', () => {
  const { sample } = createSample(50, 4)
  const score = family.createScore(family.fit(sample))
  expect(() => score(sample.scores)).toThrow('fitted with 1 earlier gates and is shown 0')
})
