import { hoeffdingBentkusPValue } from '@sluice/calibration'
import {
  argmaxRows,
  type BundleManifest,
  type ClassScores,
  createGatedModel,
  InvalidArgumentError,
  noContext,
  type PolicyFamily,
} from '@sluice/core'
import {
  computeReferenceFeatures,
  computeReferenceScores,
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
} from '@sluice/core/reference'
import { describe, expect, it, vi } from 'vitest'
import { type CalibrateOptions, calibrate, countMacsCost } from './calibrate.ts'
import { createBundlePolicy, findPolicyFamily } from './policies.ts'
import { collectScores } from './score-cache.ts'
import { createMemoryDataset } from './testing/memory-dataset.ts'

const rows = 500
const classCount = 3
const networkOptions = { seed: 9, inputShape: [30], cutWidths: [12, 12], classCount }
const network = createRandomReferenceNetwork(networkOptions)
const batch = createRandomBatch(10, rows, [30])
const stageScores = computeReferenceScores(network, batch)

/** The full network's answers, every tenth one replaced by another class. */
const labels = argmaxRows(stageScores[2] ?? { data: new Float32Array(), rows: 0, classCount }).map((answer, row) =>
  row % 10 === 0 ? (answer + 1) % classCount : answer,
)
const dataset = createMemoryDataset(batch.data, [30], labels, classCount)

/** Scores and answers with the sum of the gate's and all earlier gates' scores. */
const summingFamily: PolicyFamily = {
  specVersion: 'v1',
  name: 'summing',
  range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  usesEarlierGates: true,
  fit: ({ earlier = [] }) => ({ earlier: earlier.length }),
  createScore: () => (scores, context) => findPolicyFamily('margin').createScore({})(sumScores(scores, context)),
  createAnswer: () => sumScores,
}

function sumScores(own: ClassScores, { earlier } = noContext): ClassScores {
  return { ...own, data: own.data.map((value, i) => earlier.reduce((sum, { data }) => sum + (data[i] ?? 0), value)) }
}

async function load() {
  const bundle = await createReferenceBundle(network)
  return { manifest: bundle.manifest, model: await createReferenceBackend().load(bundle) }
}

async function createOptions(more: Partial<CalibrateOptions> = {}): Promise<CalibrateOptions> {
  const { manifest, model } = await load()
  return {
    model,
    manifest,
    dataset,
    family: findPolicyFamily('softmax'),
    maxDrop: 20,
    ignoreLabels: false,
    cost: countMacsCost(manifest),
    costKind: 'macs',
    search: 'level',
    batchSize: 64,
    seed: 0,
    ...more,
  }
}

describe('collectScores', () => {
  it('keeps the scores of every stage for every row, in order, whatever the batch', async () => {
    for (const batchSize of [1, 7, 500, 1000]) {
      const { manifest, model } = await load()
      const done: number[] = []
      const cache = await collectScores(model, manifest, dataset, {
        batchSize,
        onProgress: (event) => done.push(event.done),
      })
      expect([...cache.gates.map(({ scores }) => scores), cache.final]).toEqual(stageScores)
      expect(cache.gates.map(({ weightNorms }) => weightNorms)).toEqual(
        manifest.gates.map(({ head }) => head.weightNorms),
      )
      expect(cache.labels).toEqual(labels)
      expect(done.at(-1)).toBe(rows)
      expect(model.liveHandles).toBe(0)
    }
  })

  it('keeps pooled features for policies that use them alone, and refuses gates without before anything runs', async () => {
    const yielding = createRandomReferenceNetwork({ ...networkOptions, features: true })
    const bundle = await createReferenceBundle(yielding)
    const model = await createReferenceBackend().load(bundle)
    const families = [findPolicyFamily('learned-features')]
    const cache = await collectScores(model, bundle.manifest, dataset, { families, batchSize: 64 })
    expect(cache.gates.map(({ features }) => features)).toEqual(computeReferenceFeatures(yielding, batch).slice(0, 2))
    const { gates } = await collectScores(model, bundle.manifest, dataset, { families: [findPolicyFamily('softmax')] })
    expect(gates.map(({ features }) => features)).toEqual([undefined, undefined])
    expect(model.liveHandles).toBe(0)
    const plain = await load()
    const upload = vi.spyOn(plain.model, 'upload')
    await expect(collectScores(plain.model, plain.manifest, dataset, { families })).rejects.toThrow('attach --features')
    expect(upload).not.toHaveBeenCalled()
  })

  it('has no labels where the data have none or they are to be ignored', async () => {
    const { manifest, model } = await load()
    const unlabelled = createMemoryDataset(batch.data, [30], null, classCount)
    expect((await collectScores(model, manifest, unlabelled)).labels).toBeNull()
    expect((await collectScores(model, manifest, dataset, { ignoreLabels: true })).labels).toBeNull()
  })

  it('stops between batches with the reason of the signal and disposes every handle', async () => {
    const { manifest, model } = await load()
    const controller = new AbortController()
    const options = {
      batchSize: 50,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    }
    await expect(collectScores(model, manifest, dataset, options)).rejects.toThrow('enough')
    expect(model.liveHandles).toBe(0)
  })

  it('refuses samples of another shape', async () => {
    const { manifest, model } = await load()
    const wide = createMemoryDataset(new Float32Array(62), [31], null, classCount)
    await expect(collectScores(model, manifest, wide)).rejects.toThrow('has shape [31]; pass [30]')
  })
})

describe('calibrate', () => {
  it.each([
    ['softmax', 58],
    ['entropy', 58],
    ['margin-difference', 58],
  ])('writes thresholds of the %s policy with which the bundle loses what is recorded', async (policy, maxDrop) => {
    const options = await createOptions({ family: findPolicyFamily(policy), maxDrop })
    const { manifest, record, thresholds, met } = await calibrate(options)
    expect(met).toBe(true)
    expect(manifest.gates.map((gate) => gate.policy.threshold)).toEqual(thresholds)
    expect(manifest.gates.every((gate) => gate.policy.name === policy)).toBe(true)
    expect(manifest.calibration).toBe(record)

    const gated = createGatedModel({ model: options.model, policy: createBundlePolicy(manifest) })
    const { classes, exits } = await gated.predict(batch)
    const accuracy = classes.filter((answer, row) => answer === labels[row]).length / rows
    expect(record.measured.accuracy).toBeCloseTo(accuracy, 12)
    expect(record.measured.drop).toBeCloseTo(100 * (0.9 - accuracy), 9)
    expect(record.measured.drop).toBeLessThanOrEqual(maxDrop)
    expect(record.measured.macsSaved).toBeGreaterThan(0)
    const shares = [0, 1, 2].map((exit) => exits.filter((value) => value === exit).length / rows)
    expect(record.measured.exitShares).toEqual(shares.map((share) => expect.closeTo(share, 12)))
    expect(record).toMatchObject({
      data: 'memory',
      samples: rows,
      target: { maxDrop, confidence: null },
      guarantee: null,
    })
  })

  it.each([
    ['by cost', false],
    ['by running them', true],
  ])('leaves gates on from the first one on where heads are in cascade, chosen %s', async (_, isTried) => {
    const options = await createOptions({ maxDrop: 58 })
    const stages = options.manifest.stages.map((stage, index) =>
      index === 1 ? { ...stage, scoresInput: 'scores-0' } : stage,
    )
    const sets: number[][] = []
    const trial: NonNullable<CalibrateOptions['trial']> = async (candidates) => {
      for (const { gates } of candidates) {
        sets.push(gates.flatMap(({ policy, stage }) => (policy.threshold === null ? [] : [stage])))
      }
      return candidates.length - 1
    }
    const cost = { backbone: countMacsCost(options.manifest).backbone, head: [1e6, 0] }
    const free = { ...countMacsCost(options.manifest), head: [0, 0] }
    const manifest = { ...options.manifest, stages }
    const { thresholds } = await calibrate({ ...options, manifest, cost: free, ...(isTried ? { trial } : {}) })
    expect(thresholds[0]).not.toBeNull()
    if (isTried) expect(sets).toEqual([[], [0], [0, 1]])
    const dear = await calibrate({ ...options, manifest, cost })
    expect(dear).toMatchObject({ met: false, thresholds: [null, null] })
    const alone = await calibrate({ ...options, cost })
    expect(alone.thresholds).toEqual([null, expect.any(Number)])
  })

  it('fits families that look back on the gates that stand, and counts what the bundle then does', async () => {
    const maxDrop = 58
    const options = await createOptions({ family: summingFamily, maxDrop })
    const { manifest, record, thresholds } = await calibrate(options)
    const policy = createBundlePolicy(manifest, [summingFamily])
    const { classes, exits } = await createGatedModel({ model: options.model, policy }).predict(batch)
    const accuracy = classes.filter((answer, row) => answer === labels[row]).length / rows
    expect(record.measured.accuracy).toBeCloseTo(accuracy, 12)
    const shares = [0, 1, 2].map((exit) => exits.filter((value) => value === exit).length / rows)
    expect(record.measured.exitShares).toEqual(shares.map((share) => expect.closeTo(share, 12)))
    const standing = manifest.gates.filter((_, gate) => thresholds[gate] !== null)
    expect(standing.map(({ policy }) => policy.parameters)).toEqual(standing.map((_, earlier) => ({ earlier })))
  })

  it('leaves the gates off and says so when no threshold meets the target', async () => {
    const { met, thresholds, record } = await calibrate(await createOptions({ maxDrop: 0 }))
    expect({ met, thresholds }).toEqual({ met: false, thresholds: [null, null] })
    expect(record.measured).toMatchObject({ drop: 0, macsSaved: 0, exitShares: [0, 0, 1] })
  })

  it('leaves gates off that cost more than they save', async () => {
    const { stages } = (await load()).manifest
    const cost = { backbone: stages.map(() => 1), head: [5, 5] }
    const { met, thresholds } = await calibrate(await createOptions({ cost, maxDrop: 50 }))
    expect({ met, thresholds }).toEqual({ met: false, thresholds: [null, null] })
  })

  it('lets a trial decide between no gate and sets of gates, each with thresholds that meet the target', async () => {
    const proposed: (readonly (number | null)[])[] = []
    const trial = async (candidates: readonly BundleManifest[]) => {
      for (const { gates } of candidates) proposed.push(gates.map(({ policy }) => policy.threshold))
      return candidates.length - 1
    }
    const { met, thresholds, record } = await calibrate(await createOptions({ maxDrop: 58, trial }))
    const onCounts = proposed.map((values) => values.filter((value) => value !== null).length)
    expect(onCounts).toEqual([0, 1, 2])
    expect({ met, thresholds }).toEqual({ met: true, thresholds: proposed.at(-1) })
    expect(record.measured.drop).toBeLessThanOrEqual(58)

    const none = await calibrate(await createOptions({ maxDrop: 58, trial: async () => 0 }))
    expect({ met: none.met, thresholds: none.thresholds }).toEqual({ met: false, thresholds: [null, null] })
  })

  it('counts disagreement with the full network without labels', async () => {
    const { record } = await calibrate(await createOptions({ ignoreLabels: true }))
    expect(record.reference).toBe('full-network')
    expect(record.measured.accuracy).toBeCloseTo(1 - record.measured.drop / 100, 12)
  })

  it('warns of few samples, and changes nothing of the manifest it was given', async () => {
    const few = createMemoryDataset(batch.data.slice(0, 99 * 30), [30], labels.slice(0, 99), classCount)
    const options = await createOptions({ dataset: few })
    const before = structuredClone(options.manifest)
    const { warnings } = await calibrate(options)
    expect(warnings).toEqual([expect.stringContaining('Only 99 samples')])
    expect(options.manifest).toEqual(before)
  })
})

describe('calibrate with a confidence', () => {
  it('chooses on one half, certifies on the other, and records both', async () => {
    const { record, met, manifest } = await calibrate(await createOptions({ confidence: 0.9, maxDrop: 70 }))
    expect(met).toBe(true)
    expect(record).toMatchObject({
      target: { maxDrop: 70, confidence: 0.9 },
      guarantee: { risk: 'accuracy-gap', bound: 0.7, samples: 250, tuningSamples: 250 },
    })
    const losses = record.guarantee?.losses ?? Number.NaN
    expect(hoeffdingBentkusPValue(losses, 250, 0.7)).toBeLessThanOrEqual(0.1)
    expect(record.measured.macsSaved).toBeGreaterThan(0)
    expect(manifest.calibration).toBe(record)
  })

  it('leaves the end alone, where only harm would count', async () => {
    const family: PolicyFamily = { ...summingFamily, end: { fit: () => ({}), createAnswer: () => sumScores } }
    const options = await createOptions({ family, maxDrop: 90 })
    expect((await calibrate(options)).manifest.endPolicy).toEqual({ name: 'summing', parameters: {} })
    const { met, manifest } = await calibrate({ ...options, confidence: 0.9 })
    expect({ met, endPolicy: manifest.endPolicy }).toEqual({ met: true, endPolicy: undefined })
  })

  it('is more careful than without, and the more so the surer it is to be', async () => {
    const saved = []
    for (const confidence of [undefined, 0.5, 0.99]) {
      saved.push((await calibrate(await createOptions({ confidence, maxDrop: 70 }))).record.measured.macsSaved)
    }
    expect(saved).toEqual(saved.toSorted((a, b) => b - a))
  })

  it('without labels promises agreement with the full network', async () => {
    const { record } = await calibrate(await createOptions({ confidence: 0.9, maxDrop: 70, ignoreLabels: true }))
    expect(record.guarantee?.risk).toBe('disagreement')
  })

  it('leaves all gates off where nothing can be certified, and says how many samples it takes', async () => {
    const result = await calibrate(await createOptions({ confidence: 0.99, maxDrop: 1 }))
    expect(result).toMatchObject({ met: false, thresholds: [null, null], record: { guarantee: null } })
    expect(result.record.measured.macsSaved).toBe(0)
    expect(result.warnings.join()).toContain('at least 459 are needed')
  })

  it('lets a trial see only samples that certify nothing', async () => {
    const sizes: number[] = []
    const trial = async (candidates: readonly BundleManifest[], data: { readonly size: number }) => {
      sizes.push(data.size)
      return candidates.length - 1
    }
    await calibrate(await createOptions({ confidence: 0.9, maxDrop: 70, trial }))
    await calibrate(await createOptions({ maxDrop: 70, trial }))
    expect(sizes).toEqual([250, 500])
  })

  it('turns gates off that are certified and still do not earn their cost', async () => {
    const { stages } = (await load()).manifest
    const cost = { backbone: stages.map(() => 1), head: [0.2, 0.2] }
    for (const confidence of [0.9, 0.999]) {
      const { record, met } = await calibrate(await createOptions({ cost, confidence, maxDrop: 62 }))
      expect(met).toBe(record.guarantee !== null)
      expect(met).toBe(record.measured.exitShares.at(-1) !== 1)
    }
  })

  it('refuses a confidence of one, a drop of nothing and a search without an order', async () => {
    const refused: Partial<CalibrateOptions>[] = [
      { confidence: 1 },
      { confidence: 0.9, maxDrop: 0 },
      { confidence: 0.9, search: 'coordinate' },
    ]
    for (const more of refused) await expect(calibrate(await createOptions(more))).rejects.toThrow(InvalidArgumentError)
  })
})
