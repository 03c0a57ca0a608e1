import { createGatedModel, createThresholdPolicy } from '@sluice/core'
import {
  computeReferenceScores,
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
  createScriptedPolicy,
} from '@sluice/core/reference'
import type { Dataset } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { evaluate } from './evaluate.ts'
import type { PlainNetwork } from './plain-networks.ts'

const rows = 7
const exits = [0, 1, 2, 0, 2, 1, 2]
const network = createRandomReferenceNetwork({ seed: 3, inputShape: [5], cutWidths: [6, 4], classCount: 3 })
const batch = createRandomBatch(4, rows, [5])

/** The samples in memory; `labels` null makes them unlabelled. */
function createDataset(labels: Int32Array | null): Dataset {
  return {
    name: 'drawn',
    size: rows,
    classes: labels === null ? [] : ['a', 'b', 'c'],
    sampleShape: [5],
    read: async (indices) => {
      const images = new Float32Array(indices.length * 5)
      Array.from(indices).forEach((index, row) => {
        images.set(batch.data.subarray(5 * index, 5 * index + 5), 5 * row)
      })
      return { images, labels: labels && Int32Array.from(indices, (index) => labels[index] ?? 0), rows: indices.length }
    },
  }
}

/** The plain network; `change` may alter its scores. */
function createPlainNetwork(change: (scores: Float32Array) => Float32Array = (scores) => scores): PlainNetwork {
  return {
    async run(images) {
      const scores = computeReferenceScores(network, images).at(-1)
      if (scores === undefined) throw new Error('The network has stages.')
      return { ...scores, data: change(scores.data) }
    },
    async release() {},
  }
}

const loadModel = async () => createReferenceBackend().load(await createReferenceBundle(network))

describe('evaluate', () => {
  it('counts answers, exits and MACs as one does by hand, in one batch', async () => {
    const model = await loadModel()
    const policy = createScriptedPolicy(exits)
    const labels = Int32Array.of(0, 1, 2, 0, 1, 2, 0)
    const dataset = createDataset(labels)
    const evaluation = await evaluate({ model, policy, full: createPlainNetwork(), dataset, batchSize: rows })

    const gated = await createGatedModel({ model, policy }).predict(batch)
    const never = createThresholdPolicy('never', [])
    const full = await createGatedModel({ model, policy: never }).predict(batch)
    const share = (isCounted: (row: number) => boolean) => labels.filter((_, row) => isCounted(row)).length / rows
    const accuracy = share((row) => gated.classes[row] === labels[row])
    const fullAccuracy = share((row) => full.classes[row] === labels[row])
    const { stages } = model.network
    const macsThrough = (exit: number) =>
      stages.slice(0, exit + 1).reduce((sum, { macs }) => sum + macs.backbone + macs.head, 0)
    const macsPerSample = exits.reduce((sum, exit) => sum + macsThrough(exit), 0) / rows
    const fullMacs = stages.reduce((sum, { macs }) => sum + macs.backbone, 0)
    const accuracyAt = (exit: number) => {
      const leaving = [...exits.keys()].filter((row) => exits[row] === exit)
      return leaving.filter((row) => gated.classes[row] === labels[row]).length / leaving.length
    }
    expect(evaluation).toEqual({
      samples: rows,
      accuracy,
      fullAccuracy,
      drop: expect.closeTo(100 * (fullAccuracy - accuracy), 9),
      agreement: share((row) => gated.classes[row] === full.classes[row]),
      macsPerSample: expect.closeTo(macsPerSample, 9),
      fullMacs,
      macsSaved: expect.closeTo(1 - macsPerSample / fullMacs, 12),
      exits: [2 / 7, 2 / 7, 3 / 7].map((share, stage) => ({ stage, share, accuracy: accuracyAt(stage) })),
      milliseconds: { gated: expect.any(Number), full: expect.any(Number) },
      timeSaved: expect.closeTo(1 - evaluation.milliseconds.gated / evaluation.milliseconds.full, 12),
    })
    expect(model.liveHandles).toBe(0)
  })

  it('gives full agreement and no accuracy where nobody leaves, in batches of any size', async () => {
    const model = await loadModel()
    const policy = createThresholdPolicy('never', [])
    const dataset = createDataset(new Int32Array(rows))
    for (const batchSize of [1, 3, 100]) {
      const done: number[] = []
      const options = { model, policy, full: createPlainNetwork(), dataset, batchSize }
      const evaluation = await evaluate({ ...options, onProgress: (event) => done.push(event.done) })
      expect(evaluation).toMatchObject({ samples: rows, drop: 0, agreement: 1 })
      expect(evaluation.exits.map(({ share, accuracy }) => [share, accuracy])).toEqual([
        [0, null],
        [0, null],
        [1, evaluation.fullAccuracy],
      ])
      expect(done.at(-1)).toBe(rows)
    }
  })

  it('is interrupted by an event although every network settles at once', async () => {
    const model = await loadModel()
    const controller = new AbortController()
    setImmediate(() => controller.abort(new Error('enough')))
    const options = { policy: createScriptedPolicy(exits), full: createPlainNetwork(), batchSize: 1 }
    const dataset = createDataset(new Int32Array(rows))
    await expect(evaluate({ ...options, model, dataset, signal: controller.signal })).rejects.toThrow('enough')
    expect(model.liveHandles).toBe(0)
  })

  it('refuses data without labels, and a plain network that answers NaN', async () => {
    const model = await loadModel()
    const options = { model, policy: createScriptedPolicy(exits), batchSize: 4 }
    const unlabelled = { ...options, full: createPlainNetwork(), dataset: createDataset(null) }
    await expect(evaluate(unlabelled)).rejects.toThrow('drawn has no labels')
    const broken = createPlainNetwork((scores) => scores.with(4, Number.NaN))
    const answering = { ...options, full: broken, dataset: createDataset(new Int32Array(rows)) }
    await expect(evaluate(answering)).rejects.toThrow("The full network's answer holds NaN in row 1")
  })
})
