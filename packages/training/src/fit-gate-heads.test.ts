import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { appendScores } from './append-scores.ts'
import type { FeatureStore } from './feature-store.ts'
import { fitGateHeads, type GateHeadsOptions } from './fit-gate-heads.ts'
import { fitHead } from './fit-head.ts'
import { scoreFeatures } from './head-scores.ts'
import { createCrossEntropyLoss } from './losses/cross-entropy.ts'
import { createMemoryStorage } from './memory-storage.ts'
import { createRandom } from './random.ts'
import { createSurvivorWeights } from './survivor-weights.ts'
import { createToyData, type ToyData } from './testing/toy-data.ts'

const rows = 600
const classCount = 3

let toy: ToyData
/** Features that tell nothing of the class. */
let noise: FeatureStore
let options: GateHeadsOptions

beforeAll(async () => {
  toy = await createToyData({ storage: createMemoryStorage({ blockBytes: 128 * 6 * 4 }) })
  const random = createRandom(5, 0)
  noise = await createMemoryStorage({ blockBytes: 100 * 4 * 4 }).createStore(4)
  await noise.append(Float32Array.from({ length: rows * 4 }, () => random.normal()))
  options = {
    engine: createTestEngine(),
    gates: [toy.features, noise],
    targets: toy.targets,
    pooling: { kind: 'average', size: 1 },
    loss: createCrossEntropyLoss(),
    hidden: null,
    recipe: { epochs: 30, batchRows: 50, peakLearningRate: 0.02, inputDropout: 0.1, hiddenDropout: 0 },
    heldOutShare: 0.2,
    seed: 1,
    cascade: false,
    survivors: false,
  }
})

afterAll(() => Promise.all([toy.features.dispose(), noise.dispose(), toy.targets.networkScores.dispose()]))

describe('fitGateHeads', () => {
  it('fits each head by itself when nothing else is asked for', async () => {
    const heads = await fitGateHeads(options)
    for (const [gate, features] of options.gates.entries()) {
      const { head, ...alone } = await fitHead({ ...options, onProgress: () => {}, features })
      expect(heads[gate]).toEqual({ ...alone, head: { ...head, takesScores: false } })
    }
  })

  it('in a cascade, lets a head that sees nothing else answer by the scores of the head in front', async () => {
    const [blind] = (await fitGateHeads(options)).slice(1)
    const [first, second] = await fitGateHeads({ ...options, cascade: true })
    expect(blind?.fitAccuracy).toBeLessThan(0.6)
    expect(second?.fitAccuracy).toBeGreaterThan(0.95)
    expect([first?.head.takesScores, second?.head.takesScores]).toEqual([false, true])
    expect(second?.head.layers[0]?.inputs).toBe(4 + classCount)
    expect(second?.parameters).toBe((4 + classCount) * classCount + classCount)
  })

  it('gives the same cascade bit by bit for the same seed', async () => {
    const both = { ...options, cascade: true, survivors: true }
    expect(await fitGateHeads(both)).toEqual(await fitGateHeads(both))
  })

  it('fits the second head with the weights that the first one leaves, and judges it on the same rows', async () => {
    const blurred = await createToyData({ separation: 0.5 })
    const { features, targets } = blurred
    const common = { ...options, targets, onProgress: () => {} }
    const [first, second] = await fitGateHeads({ ...common, gates: [features, features], survivors: true })
    if (first === undefined || second === undefined) throw new Error('A head is missing.')
    const all = Uint32Array.from({ length: rows }, (_, row) => row)
    const weights = createSurvivorWeights(targets)
    await weights.heed(first, await scoreFeatures({ ...common, layers: first.head.layers, features, rows: all }))
    const rowWeights = weights.current()
    const leavers = rowWeights.filter((weight) => weight < 1).length
    expect(leavers).toBeGreaterThan(50)
    expect(leavers).toBeLessThan(550)
    const alone = await fitHead({ ...common, features, rowWeights })
    expect(second).toEqual({ ...alone, head: { ...alone.head, takesScores: false } })
    expect(second.heldOut.rows).toEqual(first.heldOut.rows)
  })

  it('tells which head is being fitted', async () => {
    const seen = new Set<number>()
    await fitGateHeads({ ...options, onProgress: (gate) => seen.add(gate) })
    expect([...seen]).toEqual([0, 1])
  })
})

describe('createSurvivorWeights', () => {
  it('lets rows count 0.3 from the first head on that gives a class 0.9 at its own temperature', async () => {
    const networkScores = await createMemoryStorage().createStore(2)
    await networkScores.append(new Float32Array(8))
    const weights = createSurvivorWeights({ labels: Int32Array.of(0, 1, 0, 1), networkScores })
    expect([...weights.current()]).toEqual([1, 1, 1, 1])
    const heldOut = {
      rows: Uint32Array.of(0, 1, 2, 3),
      scores: { data: Float32Array.of(2, 0, 0, 2, 2, 0, 2, 0), rows: 4, classCount: 2 },
    }
    // Three of four are right, so that a difference of 2 means 0.75, and 0.9 takes one of 2 * log 9 / log 3 = 4.
    await weights.heed({ heldOut }, { data: Float32Array.of(3.9, 0, 0, 4.1, 0, 0, 0, 0), rows: 4, classCount: 2 })
    expect([...weights.current()]).toEqual([1, Math.fround(0.3), 1, 1])
    await weights.heed({ heldOut }, { data: Float32Array.of(0, 0, 0, 4.1, 5, 0, 0, 0), rows: 4, classCount: 2 })
    expect([...weights.current()]).toEqual([1, Math.fround(0.3), Math.fround(0.3), 1])
  })
})

describe('appendScores', () => {
  it('puts the scores of each row behind its features, whichever rows are read', async () => {
    const head = await fitHead({ ...options, onProgress: () => {}, features: toy.features })
    const all = Uint32Array.from({ length: rows }, (_, row) => row)
    const scores = await scoreFeatures({ ...options, layers: head.head.layers, features: toy.features, rows: all })
    const joined = appendScores(toy.features, scores)
    expect([joined.width, joined.rows, joined.blockRows]).toEqual([6 + classCount, rows, toy.features.blockRows])
    for (const [start, count] of [
      [0, 2],
      [130, 128],
      [597, 3],
    ] as const) {
      const values = (await joined.read(start, count)).slice()
      const features = await toy.features.read(start, count)
      const expected = Array.from({ length: count }, (_, row) => [
        ...features.subarray(row * 6, row * 6 + 6),
        ...scores.data.subarray((start + row) * classCount, (start + row + 1) * classCount),
      ])
      expect([...values]).toEqual(expected.flat())
    }
    expect(() => appendScores(toy.features, { ...scores, rows: 7 })).toThrow('has shape [7]; pass [600]')
  })
})
