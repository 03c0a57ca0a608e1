import { describePolicy } from '@sluice/conformance'
import type { GateSample } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { describe, expect, it } from 'vitest'
import { createLearnedFamily } from './confidence-family.ts'
import { createDeeperFamily } from './deeper-family.ts'

const family = createDeeperFamily()

describePolicy('learned-deeper', family)
describePolicy('learned-features', createDeeperFamily({ features: true }))

/** Rows whose scores here are all alike: only the gate before tells how likely the answer is right. */
function createSample(rows: number, seed: number): { readonly sample: GateSample; readonly chances: Float64Array } {
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

function findMeanError(predicted: Float32Array, chances: Float64Array): number {
  return predicted.reduce((sum, p, row) => sum + Math.abs(p - (chances[row] ?? 0)), 0) / chances.length
}

it('learns from the gate before when its own scores tell nothing', () => {
  const parameters = family.fit(createSample(5000, 1).sample)
  const { sample, chances } = createSample(2000, 2)
  const predicted = family.createScore(parameters)(sample.scores, { earlier: sample.earlier ?? [] })
  expect(findMeanError(predicted, chances)).toBeLessThan(0.03)
})

describe('with pooled features', () => {
  const withFeatures = createDeeperFamily({ features: true })

  /** A first gate whose scores are all alike: only the second of three channels tells how likely the answer is right. */
  function createChannelSample(rows: number, seed: number) {
    const { sample, chances } = createSample(rows, seed)
    const random = createRandom(seed + 100)
    const data = Float32Array.from({ length: 3 * rows }, (_, i) => {
      const chance = chances[Math.floor(i / 3)] ?? 0
      return i % 3 === 1 ? 5 + 0.2 * Math.log(chance / (1 - chance)) : random()
    })
    return { sample: { ...sample, earlier: [], features: { data, rows, width: 3 } }, chances }
  }

  it('learns from the network when no scores tell anything', () => {
    const parameters = withFeatures.fit(createChannelSample(5000, 5).sample)
    const { sample, chances } = createChannelSample(2000, 6)
    const { scores, earlier, features } = sample
    expect(findMeanError(withFeatures.createScore(parameters)(scores, { earlier, features }), chances)).toBeLessThan(
      0.03,
    )
    expect(findMeanError(family.createScore(family.fit(sample))(scores), chances)).toBeGreaterThan(0.2)
  })

  it('is hardly misled by a hundred channels that tell nothing', () => {
    const createNoisySample = (rows: number, seed: number) => {
      const { sample, chances } = createSample(rows, seed)
      const random = createRandom(seed + 200)
      const features = { data: Float32Array.from({ length: 100 * rows }, random), rows, width: 100 }
      return { sample: { ...sample, features }, chances }
    }
    const parameters = withFeatures.fit(createNoisySample(2000, 7).sample)
    const { sample, chances } = createNoisySample(1000, 8)
    const { scores, earlier = [], features } = sample
    expect(findMeanError(withFeatures.createScore(parameters)(scores, { earlier, features }), chances)).toBeLessThan(
      0.05,
    )
  })

  it('refuses to do without them, or with others than it was fitted with', () => {
    const { sample } = createChannelSample(50, 9)
    const { scores, earlier, features } = sample
    expect(() => withFeatures.fit({ ...sample, features: undefined })).toThrow('sluice attach --features')
    const score = withFeatures.createScore(withFeatures.fit(sample))
    expect(() => score(scores)).toThrow('is shown none')
    const wider = { ...features, width: 6, data: new Float32Array(300) }
    expect(() => score(scores, { earlier, features: wider })).toThrow('fitted with 3 pooled features and is shown 6')
  })
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
  expect(() => score(sample.scores)).toThrow('fitted on 1 gates in front and is shown 0')
})
