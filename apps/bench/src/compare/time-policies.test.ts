import { findPolicyFamily } from '@sluice/app-train'
import type { Backend } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBackend, createReferenceBundle } from '@sluice/core/reference'
import type { Dataset } from '@sluice/datasets'
import { expect, it } from 'vitest'
import { createSyntheticScores } from '../../../../tooling/synthetic-scores.ts'
import { createSyntheticManifest } from '../testing/synthetic-manifest.ts'
import { comparePolicies, type FamilyChoice } from './compare-policies.ts'
import { timePolicies } from './time-policies.ts'

const network = createRandomReferenceNetwork({ seed: 1, inputShape: [5], cutWidths: [4, 4], classCount: 3 })
const source = await createReferenceBundle(network)

/** Samples in memory that note which of them are read. */
function createDataset(seen: Set<number>): Dataset {
  return {
    name: 'ones',
    size: 40,
    classes: ['a', 'b', 'c'],
    sampleShape: [5],
    async read(indices) {
      for (const index of indices) seen.add(index)
      const rows = indices.length
      return { images: new Float32Array(5 * rows).fill(1), labels: new Int32Array(rows), rows }
    },
  }
}

/** A backend that counts its models that are not disposed. */
function createCountingBackend() {
  const inner = createReferenceBackend()
  let alive = 0
  const backend: Backend = {
    ...inner,
    async load(bundle) {
      const model = await inner.load(bundle)
      alive++
      return {
        ...model,
        async dispose() {
          alive--
          await model.dispose()
        },
      }
    },
  }
  return { backend, alive: () => alive }
}

/** Both gates stand, with the same threshold. */
function createChoice(threshold: number): FamilyChoice['choice'] {
  const none = { accuracy: 1, fullAccuracy: 1, drop: 0, dropStandardError: 0, cost: 1, fullCost: 1, saved: 0 }
  return {
    standing: [0, 1],
    parameters: [{ temperature: 1 }, { temperature: 1 }],
    endParameters: null,
    point: { ...none, exitShares: [0, 0, 1], thresholds: [threshold, threshold] },
    met: true,
    warnings: [],
  }
}

it('benches the choices on judged samples alone, each loaded by itself and freed', async () => {
  const softmax = findPolicyFamily('softmax')
  const families = [softmax, findPolicyFamily('entropy')]
  const compared = await comparePolicies({
    manifest: await createSyntheticManifest(),
    data: 'drawn',
    cache: createSyntheticScores(100, 1, 3),
    families,
    splits: 1,
    seed: 0,
  })
  const judgedRows = Uint32Array.of(3, 7, 12, 30, 31)
  const onePoint = [
    { family: softmax, choice: createChoice(0) },
    { family: softmax, choice: createChoice(2) },
  ]
  const seen = new Set<number>()
  const { backend, alive } = createCountingBackend()
  const { policies, ...rest } = await timePolicies(
    { ...compared, onePoint, judgedRows },
    {
      backend,
      source,
      plainNetworks: ({ manifest }) => ({
        loadFull: async () => ({
          run: async () => ({ data: new Float32Array(), rows: 0, classCount: 0 }),
          release: async () => {},
        }),
        loadTruncated: async () => manifest.stages.map(() => ({ run: async () => {}, release: async () => {} })),
      }),
      dataset: createDataset(seen),
      batchSizes: [2, 4],
      rows: 4,
      rounds: 1,
    },
  )
  const { stages, macs } = source.manifest
  const atFirst = (stages[0]?.macs.backbone ?? 0) + (stages[0]?.macs.head ?? 0)
  const heads = stages.reduce((sum, stage) => sum + stage.macs.head, 0)
  expect(policies.map(({ time }) => time?.map(({ size }) => size))).toEqual([
    [2, 4],
    [2, 4],
  ])
  expect(policies[0]?.time?.[1]?.macsSaved).toBeCloseTo(1 - atFirst / macs, 9)
  expect(policies[1]?.time?.[1]?.macsSaved).toBeCloseTo(-heads / macs, 9)
  expect(policies.map(({ time, ...figures }) => figures)).toEqual(compared.comparison.policies)
  expect({ ...rest, policies: compared.comparison.policies }).toEqual(compared.comparison)
  expect([...seen].every((row) => judgedRows.includes(row))).toBe(true)
  expect(seen.size).toBe(4)
  expect(alive()).toBe(0)
})
