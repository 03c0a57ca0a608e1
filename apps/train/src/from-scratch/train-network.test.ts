import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { createGlyphDataset, type Dataset, select } from '@sluice/datasets'
import { beforeAll, describe, expect, it } from 'vitest'
import { createTinyImages, tinyTraining } from '../testing/tiny-training.ts'
import { decodeCheckpoint } from './checkpoint.ts'
import { CheckpointError, TrainingDivergedError } from './errors.ts'
import { parseTrainConfig } from './train-config.ts'
import { type TrainedNetwork, trainNetwork } from './train-network.ts'
import type { TrainNetworkOptions } from './training.ts'

const dataset = createTinyImages(20, 1)
const testDataset = createTinyImages(12, 2)
const config = parseTrainConfig(tinyTraining, { seed: 5 })

/** How a training ended. */
interface TrainRun {
  readonly trained: TrainedNetwork | null
  readonly error: Error | null
  readonly checkpoints: readonly Uint8Array[]
}

/** Trains on the current backend; `abortAfter` steps the signal aborts. */
async function train(changes: Partial<TrainNetworkOptions> = {}, abortAfter = Infinity): Promise<TrainRun> {
  const interruption = new AbortController()
  if (abortAfter === 0) interruption.abort(new Error('interrupted'))
  const checkpoints: Uint8Array[] = []
  let steps = 0
  const options: TrainNetworkOptions = {
    tf: await openNodeTfjs(changes.config?.backend ?? 'cpu'),
    config,
    dataset,
    testDataset,
    initialValues: null,
    checkpoint: null,
    saveCheckpoint: async (bytes) => void checkpoints.push(bytes),
    signal: interruption.signal,
    onProgress: () => {
      if (++steps === abortAfter) interruption.abort(new Error('interrupted'))
    },
    ...changes,
  }
  const before = options.tf.memory().numTensors
  const run = await trainNetwork(options).then(
    (trained) => ({ trained, error: null, checkpoints }),
    (error: Error) => ({ trained: null, error, checkpoints }),
  )
  expect(options.tf.memory().numTensors).toBe(before)
  return run
}

/** Metrics without the times, and all values. */
function curveOf({ trained, error }: TrainRun) {
  if (trained === null) throw error
  return { metrics: trained.metrics.map(({ seconds: _, ...metrics }) => metrics), values: trained.values }
}

describe('trainNetwork', () => {
  let whole: TrainRun

  beforeAll(async () => {
    whole = await train()
  }, 60_000)

  it('counts epochs, falls to a learning rate of 0, and judges every exit', () => {
    const { metrics } = curveOf(whole)
    expect(metrics.map(({ epoch }) => epoch)).toEqual([1, 2, 3])
    expect(metrics.map(({ learningRate }) => learningRate)).toEqual(
      [0.05, 0.0327, 0.0048].map((rate) => expect.closeTo(rate, 4)),
    )
    for (const { trainAccuracies, testAccuracies } of metrics) {
      expect([trainAccuracies.length, testAccuracies?.length]).toEqual([4, 4])
    }
  })

  it('gives the same network and curve again, and another one for another seed', async () => {
    expect(curveOf(await train())).toEqual(curveOf(whole))
    expect(curveOf(await train({ config: { ...config, seed: 6 } }))).not.toEqual(curveOf(whole))
  })

  it.each([0, 1, 2, 3])(
    'saves when interrupted after %d of 6 steps, and resumes to the same network bit by bit',
    async (steps) => {
      const first = await train({}, steps)
      expect(first.error?.message).toBe('interrupted')
      const checkpoint = decodeCheckpoint(first.checkpoints.at(-1) ?? new Uint8Array(), config, dataset.size)
      expect(curveOf(await train({ checkpoint }))).toEqual(curveOf(whole))
    },
  )

  it('has nothing left to do when resumed at its end', async () => {
    const checkpoint = decodeCheckpoint(whole.checkpoints.at(-1) ?? new Uint8Array(), config, dataset.size)
    const seen: number[] = []
    const resumed = await train({ checkpoint, onEpoch: (metrics) => void seen.push(metrics.length) })
    expect(curveOf(resumed)).toEqual(curveOf(whole))
    expect(seen).toEqual([3])
  })

  it('refuses a checkpoint of other settings or data, but not of another backend, and a damaged one', () => {
    const bytes = whole.checkpoints.at(-1) ?? new Uint8Array()
    const decode = (changes: object, samples = 20) => decodeCheckpoint(bytes, { ...config, ...changes }, samples)
    expect(() => decode({ epochs: 4 })).toThrow('had epochs 3 and this one has 4')
    expect(() => decode({}, 21)).toThrow('20 samples and these have 21')
    expect(decode({ backend: 'wasm', checkpointMinutes: 1 }).progress.epoch).toBe(3)
    expect(() => decodeCheckpoint(bytes.subarray(0, bytes.length - 4), config, 20)).toThrow('cut off')
    expect(() => decodeCheckpoint(bytes.subarray(0, 50), config, 20)).toThrow(CheckpointError)
  })

  it('keeps a checkpoint after every epoch', () => {
    const kept = whole.checkpoints.map((bytes) => decodeCheckpoint(bytes, config, dataset.size).progress)
    expect(kept.map(({ epoch, step }) => [epoch, step])).toEqual([1, 2, 3].map((epoch) => [epoch, 0]))
  })

  /** Trains on data that are not numbers from some batch on. */
  async function trainOnPoison(changes: Partial<TrainNetworkOptions>, isPoisoned: (reads: number) => boolean) {
    let reads = 0
    const poisoned: Dataset = {
      ...dataset,
      read: async (indices) => {
        const batch = await dataset.read(indices)
        if (isPoisoned(reads++)) batch.images.fill(Number.NaN)
        return batch
      },
    }
    return await train({ dataset: poisoned, ...changes })
  }

  it('keeps checkpoints while it runs, and the last good one when the loss is not a number', async () => {
    const { error, checkpoints } = await trainOnPoison(
      { config: { ...config, checkpointMinutes: 1e-9 } },
      (reads) => reads > 2,
    )
    expect(error).toBeInstanceOf(TrainingDivergedError)
    expect(error?.message).toContain('The last checkpoint is kept')
    const last = decodeCheckpoint(checkpoints.at(-1) ?? new Uint8Array(), config, dataset.size)
    expect([...last.values.values()].every((value) => value.every(Number.isFinite))).toBe(true)
  })

  it('promises no checkpoint where a first training diverges before its first one, but does where it was resumed', async () => {
    const first = await trainOnPoison({}, () => true)
    expect(first.error).toBeInstanceOf(TrainingDivergedError)
    expect(first.error?.message).toContain('in step 1 of epoch 1. There is no checkpoint yet;')
    const checkpoint = decodeCheckpoint(whole.checkpoints[0] ?? new Uint8Array(), config, dataset.size)
    const resumed = await trainOnPoison({ checkpoint }, () => true)
    expect(resumed.error?.message).toContain('in step 1 of epoch 2. The last checkpoint is kept;')
  })

  it('refuses samples of another shape, too large a batch, data without labels, and blocks that do not exist', async () => {
    const messageOf = async (changes: Partial<TrainNetworkOptions>) => (await train(changes)).error?.message
    expect(await messageOf({ dataset: { ...dataset, sampleShape: [3, 8, 8] } })).toContain('pass [3, 10, 10]')
    expect(await messageOf({ config: { ...config, batch: 21 } })).toContain('at most 20')
    const unlabelled = { ...dataset, read: async () => ({ images: new Float32Array(2400), labels: null, rows: 8 }) }
    expect(await messageOf({ dataset: unlabelled })).toContain('has no labels')
    const withGates = (gates: object) => ({ config: parseTrainConfig({ ...tinyTraining, gates }, { seed: 0 }) })
    expect(await messageOf(withGates({ ...tinyTraining.gates, at: ['block4'] }))).toContain(
      "cannot stand at 'block4'; the blocks are block1, block2, block3",
    )
    expect(await messageOf(withGates({ kind: 'after', at: ['block9'] }))).toContain("no cut 'block9'")
  })

  it('learns to read glyphs on wasm: the loss falls', async () => {
    const glyphs = parseTrainConfig(
      {
        network: { kind: 'plain', layers: [8, 'pool', 16, 'pool', 'pool', 32], classes: 10, input: [32, 32, 3] },
        data: 'glyphs?split=train&limit=128',
        epochs: 4,
        batch: 32,
        optimiser: { learningRate: 0.1, warmUpEpochs: 0.5 },
        backend: 'wasm',
      },
      { seed: 0 },
    )
    const run = await train({
      config: glyphs,
      dataset: select(createGlyphDataset('train'), { limit: 128 }),
      testDataset: null,
    })
    const losses = curveOf(run).metrics.map(({ loss }) => loss)
    expect(losses[0]).toBeGreaterThan(2)
    expect(losses[3]).toBeLessThan((losses[0] ?? 0) - 0.2)
  })
})
