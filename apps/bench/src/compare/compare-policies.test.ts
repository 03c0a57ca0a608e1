import { findPolicyFamily } from '@sluice/app-train'
import { selectCachedSamples } from '@sluice/calibration'
import { InvalidArgumentError, type PolicyFamily } from '@sluice/core'
import { createRandom, selectIndices } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { createSyntheticScores } from '../../../../tooling/synthetic-scores.ts'
import { createSyntheticManifest } from '../testing/synthetic-manifest.ts'
import { type CompareOptions, comparePolicies } from './compare-policies.ts'

const manifest = await createSyntheticManifest()
const cache = createSyntheticScores(600, 1, 3)
const softmax = findPolicyFamily('softmax')

/** A score that says nothing. */
const noise: PolicyFamily = {
  specVersion: 'v1',
  name: 'noise',
  range: [0, 1],
  fit: () => ({}),
  createScore: () => {
    const random = createRandom(5)
    return ({ rows }) => Float32Array.from({ length: rows }, () => random.next())
  },
}

const compare = (more: Partial<CompareOptions> = {}) =>
  comparePolicies({ manifest, data: 'drawn', cache, families: [softmax, noise], splits: 3, seed: 0, ...more })

describe('comparePolicies', () => {
  it('says what it rests on, and what each policy does at every drop and share', async () => {
    const { comparison, judgedRows, onePoint } = await compare()
    const { policies, fullAccuracy, ...facts } = comparison
    expect(facts).toEqual({
      name: manifest.name,
      data: 'drawn',
      samples: 600,
      splits: 3,
      seed: 0,
      intervals: { resamples: 1000, confidence: 0.95 },
      fullMacs: 100,
      leastShare: 0.26,
    })
    expect(policies.map(({ policy, source }) => [policy, source])).toEqual([
      ['softmax', 'SDN, arXiv 1810.07052'],
      ['noise', null],
    ])
    for (const { atDrop, atShare, curve } of policies) {
      expect(atDrop.map(({ maxDrop }) => maxDrop)).toEqual([0, 0.5, 1, 2])
      expect(atShare.map(({ share, accuracy }) => [share, accuracy === null])).toEqual([
        [0.25, true],
        [0.5, false],
        [0.75, false],
        [1, false],
      ])
      expect(curve.map(({ budget }) => budget)).toEqual(curve.map((_, i) => expect.closeTo(0.26 + (0.74 * i) / 50, 9)))
    }
    expect(judgedRows).toHaveLength(300)
    expect(onePoint.map(({ family }) => family)).toEqual([softmax, noise])
  })

  it('puts the better score above one that says nothing, with intervals around the medians', async () => {
    const [better, worse] = (await compare()).comparison.policies
    expect(better?.area.low).toBeGreaterThan(worse?.area.high ?? 1)
    expect(better?.atDrop[3]?.macsSaved.low).toBeGreaterThan(worse?.atDrop[3]?.macsSaved.high ?? 1)
    for (const { macsSaved, drop } of better?.atDrop ?? []) {
      for (const { low, median, high } of [macsSaved, drop]) {
        expect(low).toBeLessThanOrEqual(median)
        expect(high).toBeGreaterThanOrEqual(median)
      }
    }
  })

  it('gives the same for the same seed, other splits for another, and counts the first split as the first', async () => {
    const one = await compare({ families: [softmax], splits: 1 })
    expect(await compare({ families: [softmax], splits: 1 })).toEqual(one)
    expect((await compare({ families: [softmax] })).judgedRows).toEqual(one.judgedRows)
    const other = await compare({ families: [softmax], splits: 1, seed: 1 })
    expect(other.judgedRows).not.toEqual(one.judgedRows)
  })

  it('judges nobody on samples that it was tuned on', async () => {
    const tampered = await compare({ families: [softmax], splits: 1 })
    const labels = cache.labels?.slice() ?? new Int32Array()
    for (const row of tampered.judgedRows) labels[row] = ((labels[row] ?? 0) + 1) % 4
    const { onePoint } = await compare({ families: [softmax], splits: 1, cache: { ...cache, labels } })
    expect(onePoint).toEqual(tampered.onePoint)
  })

  it('refuses scores without labels, too few of them, and a network without gates', async () => {
    const few = selectCachedSamples(cache, selectIndices(600, { limit: 99 }))
    for (const [unfit, message] of [
      [{ ...cache, labels: null }, 'no labels'],
      [few, '99 samples cannot tell'],
      [{ ...cache, gates: [] }, 'no gates'],
    ] as const) {
      await expect(compare({ cache: unfit })).rejects.toThrow(InvalidArgumentError)
      await expect(compare({ cache: unfit })).rejects.toThrow(message)
    }
  })

  it('ends with the reason of the signal', async () => {
    const controller = new AbortController()
    const run = compare({ signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) })
    await expect(run).rejects.toThrow('enough')
  })
})
