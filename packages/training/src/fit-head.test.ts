import { InvalidArgumentError, NonFiniteValueError } from '@sluice/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convolveNaively } from '../../../tooling/convolve-naively.ts'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { FitDivergedError } from './errors.ts'
import { createFileStorage } from './file-storage.ts'
import { type FitHeadOptions, fitHead } from './fit-head.ts'
import { scoreFeatures } from './head-scores.ts'
import { createCrammerSingerLoss } from './losses/crammer-singer.ts'
import { createCrossEntropyLoss } from './losses/cross-entropy.ts'
import { createDistillationLoss } from './losses/distillation.ts'
import { createHingeLoss } from './losses/hinge.ts'
import { createMemoryStorage } from './memory-storage.ts'
import { createToyData, type ToyData } from './testing/toy-data.ts'

const recipe = { epochs: 30, batchRows: 50, peakLearningRate: 0.02, inputDropout: 0.1, hiddenDropout: 0.2 }
/** Blocks of 128 rows of six features, so that the 600 rows take several. */
const blockBytes = 128 * 6 * 4

let toy: ToyData
let options: FitHeadOptions

beforeAll(async () => {
  toy = await createToyData({ storage: createMemoryStorage({ blockBytes }) })
  options = {
    engine: createTestEngine(),
    features: toy.features,
    targets: toy.targets,
    pooling: { kind: 'average', size: 1 },
    loss: createCrossEntropyLoss(),
    hidden: 8,
    recipe,
    heldOutShare: 0.2,
    seed: 1,
  }
})

afterAll(() => toy.features.dispose())

/** A store with the toy data's features, one of them replaced. */
async function featuresWith(row: number, value: number) {
  const { width, rows } = toy.features
  const data = (await toy.features.read(0, rows)).slice()
  data[row * width + 2] = value
  const store = await createMemoryStorage({ blockBytes }).createStore(width)
  await store.append(data)
  return store
}

describe('fitHead', () => {
  const losses = [
    createHingeLoss(),
    createCrammerSingerLoss(),
    createCrossEntropyLoss({ labelSmoothing: 0.1 }),
    createDistillationLoss(),
  ]
  const kinds = losses.flatMap((loss) => [null, 8].map((hidden) => ({ loss, hidden, name: loss.name })))

  it.each(kinds)('separates toy classes by $name with hidden width $hidden', async ({ loss, hidden }) => {
    const { fitAccuracy, epochLosses, head, parameters, weightNorms } = await fitHead({ ...options, loss, hidden })
    expect(fitAccuracy).toBeGreaterThan(0.98)
    expect(epochLosses).toHaveLength(recipe.epochs)
    expect(epochLosses.at(-1)).toBeLessThan((epochLosses[0] as number) / 2)
    expect(head.layers.map(({ outputs }) => outputs)).toEqual(hidden === null ? [3] : [8, 3])
    expect(parameters).toBe(hidden === null ? 6 * 3 + 3 : 6 * 8 + 8 + 8 * 3 + 3)
    expect(weightNorms).toHaveLength(3)
    expect(Math.min(...weightNorms)).toBeGreaterThan(0)
  })

  it('factorises the hidden layer, as accurate and with fewer parameters', async () => {
    const calls: { done: number; total: number }[] = []
    const onProgress = (progress: { done: number; total: number }) => calls.push(progress)
    const { head, parameters, fitAccuracy, epochLosses, heldOut, weightNorms } = await fitHead({
      ...options,
      rank: 2,
      onProgress,
    })
    const shapes = head.layers.map(({ inputs, outputs, activation }) => [inputs, outputs, activation])
    expect(shapes).toEqual([
      [6, 2, 'none'],
      [2, 8, 'relu'],
      [8, 3, 'none'],
    ])
    expect(parameters).toBe(6 * 2 + 2 + 2 * 8 + 8 + 8 * 3 + 3)
    expect(fitAccuracy).toBeGreaterThan(0.98)
    expect(epochLosses).toHaveLength(recipe.epochs)
    expect(calls.map(({ done }) => done)).toEqual(calls.map(({ done }) => done).sort((a, b) => a - b))
    expect(calls.at(-1)?.done).toBe(calls[0]?.total)
    expect(new Set(calls.map(({ total }) => total)).size).toBe(1)
    const { engine, features } = options
    const scores = await scoreFeatures({ engine, layers: head.layers, features, rows: heldOut.rows })
    expect(heldOut.scores).toEqual(scores)
    const last = head.layers[2]?.weights ?? new Float32Array(0)
    const norms = [0, 1, 2].map((j) => Math.hypot(...last.filter((_, index) => index % 3 === j)))
    for (const [j, norm] of norms.entries()) expect(weightNorms[j]).toBeCloseTo(norm, 4)
  })

  it('gives the scores of naive convolutions on raw features with a head that convolves', async () => {
    // Six features: a map of two channels with the channels last, and two features behind it.
    const map = { outer: 1, height: 1, width: 2, inner: 2 }
    const { rows, width, blockRows } = toy.features
    const features = { rows, width, blockRows, map, read: toy.features.read }
    const { head, heldOut, fitAccuracy } = await fitHead({ ...options, features, channels: [5], rank: 2 })
    expect(fitAccuracy).toBeGreaterThan(0.98)
    const shapes = head.layers.map(({ inputs, outputs }) => [inputs, outputs])
    expect(shapes).toEqual([
      [18, 5],
      [5 + 2, 8],
      [8, 3],
    ])
    const [convolution, ...others] = head.layers
    if (!convolution?.convolution) throw new Error('The head has no convolution.')
    const data = await toy.features.read(0, rows)
    const row = [...data.subarray(6 * (heldOut.rows[0] as number), 6 * (heldOut.rows[0] as number) + 6)]
    const { weights, bias } = convolution
    const convolved = convolveNaively(row.slice(0, 4), convolution.convolution, weights, bias)
    const scores = others.reduce(
      (values, { weights, bias, outputs, activation }) => {
        const sums = [...bias].map((b, j) => values.reduce((sum, x, i) => sum + x * (weights[i * outputs + j] ?? 0), b))
        return activation === 'relu' ? sums.map((sum) => Math.max(0, sum)) : sums
      },
      [...convolved.map((value) => Math.max(0, value)), ...row.slice(4)],
    )
    for (const [index, score] of scores.entries()) expect(heldOut.scores.data[index]).toBeCloseTo(score, 2)
  })

  it('refuses convolutions on features that are no map, and without channels', async () => {
    await expect(fitHead({ ...options, channels: [4] })).rejects.toThrow('no map')
    await expect(fitHead({ ...options, channels: [0] })).rejects.toThrow('0 channels')
  })

  it('gives the same factorised head bit by bit for the same seed', async () => {
    const factorised = { ...options, rank: 2 }
    expect(await fitHead(factorised)).toEqual(await fitHead(factorised))
  })

  it('factorises after a single epoch, which leaves none for the factors', async () => {
    const { head, epochLosses } = await fitHead({ ...options, rank: 2, recipe: { ...recipe, epochs: 1 } })
    expect(head.layers).toHaveLength(3)
    expect(epochLosses).toHaveLength(1)
  })

  it.each([
    ['a rank that saves no weights', { rank: 4 }],
    ['a linear head', { rank: 2, hidden: null }],
  ])('leaves the head alone at %s', async (_, change) => {
    expect(await fitHead({ ...options, ...change })).toEqual(await fitHead({ ...options, ...change, rank: null }))
  })

  it('gives the same head bit by bit for the same seed, and another for another seed', async () => {
    const [first, again, other] = [
      await fitHead(options),
      await fitHead(options),
      await fitHead({ ...options, seed: 2 }),
    ]
    expect(again).toEqual(first)
    expect(other.head).not.toEqual(first.head)
  })

  it('gives the same head bit by bit from files as from memory', async () => {
    const storage = createFileStorage({ blockBytes })
    const { features, targets } = await createToyData({ storage })
    const fromFiles = await fitHead({ ...options, features, targets })
    await Promise.all([features.dispose(), targets.networkScores.dispose()])
    expect(fromFiles).toEqual(await fitHead(options))
  })

  it('folds the standardisation: weights times deviations are those of a fit on standardised features', async () => {
    const { width, rows } = toy.features
    const raw = await toy.features.read(0, rows)
    const moved = await createMemoryStorage({ blockBytes }).createStore(width)
    await moved.append(raw.map((value, index) => 4 * value - 50 * (index % width)))
    const [one, two] = [await fitHead(options), await fitHead({ ...options, features: moved })]
    expect(two.fitAccuracy).toBe(one.fitAccuracy)
    for (const [index, score] of one.heldOut.scores.data.entries()) {
      expect(two.heldOut.scores.data[index]).toBeCloseTo(score, 1)
    }
    for (const [index, norm] of one.weightNorms.entries()) expect(two.weightNorms[index]).toBeCloseTo(norm, 2)
  })

  it('takes the weight norms in standardised space', async () => {
    const fitted = await fitHead({ ...options, hidden: null })
    const all = Array.from({ length: toy.features.rows }, (_, row) => row)
    const data = await toy.features.read(0, toy.features.rows)
    const deviations = Array.from({ length: 6 }, (_, feature) => {
      const values = all
        .filter((row) => !fitted.heldOut.rows.includes(row))
        .map((row) => data[row * 6 + feature] as number)
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    })
    const weights = fitted.head.layers[0]?.weights as Float32Array
    for (const [j, norm] of fitted.weightNorms.entries()) {
      const expected = Math.hypot(...deviations.map((deviation, i) => deviation * (weights[i * 3 + j] as number)))
      expect(norm).toBeCloseTo(expected, 2)
    }
  })

  it('holds out rows that it does not fit, and scores them with the folded head', async () => {
    const { heldOut, head, fitAccuracy } = await fitHead(options)
    expect(heldOut.rows.length).toBeGreaterThan(80)
    expect(heldOut.rows.length).toBeLessThan(160)
    const rows = heldOut.rows
    const scores = await scoreFeatures({ engine: options.engine, layers: head.layers, features: toy.features, rows })
    expect(heldOut.scores).toEqual(scores)
    expect(fitAccuracy).toBeGreaterThan(0.98)
  })

  it('neither fits nor judges rows of weight 0', async () => {
    const labels = toy.targets.labels.map((label, row) => (row < 300 ? label : (label + 1) % 3))
    const rowWeights = Float32Array.from(labels, (_, row) => (row < 300 ? 1 : 0))
    const { fitAccuracy, heldOut } = await fitHead({ ...options, targets: { ...toy.targets, labels }, rowWeights })
    expect(fitAccuracy).toBeGreaterThan(0.98)
    expect(Math.max(...heldOut.rows)).toBeLessThan(300)
  })

  it('heeds the weights of rows that contradict each other', async () => {
    const labels = toy.targets.labels.map((label, row) => (row % 2 === 0 ? label : (label + 1) % 3))
    const rowWeights = Float32Array.from(labels, (_, row) => (row % 2 === 0 ? 1 : 0.01))
    const { heldOut } = await fitHead({ ...options, targets: { ...toy.targets, labels }, rowWeights })
    const right = heldOut.rows.filter((row, i) => {
      const [a = 0, b = 0, c = 0] = heldOut.scores.data.subarray(3 * i, 3 * i + 3)
      return [a, b, c].indexOf(Math.max(a, b, c)) === toy.targets.labels[row]
    })
    expect(right.length / heldOut.rows.length).toBeGreaterThan(0.95)
  })

  it('distils without labels, judged by the network', async () => {
    const targets = { labels: null, networkScores: toy.targets.networkScores }
    const { fitAccuracy } = await fitHead({ ...options, targets, loss: createDistillationLoss() })
    expect(fitAccuracy).toBeGreaterThan(0.98)
  })

  it('tells how far it is, up to the last step', async () => {
    const calls: { done: number; total: number }[] = []
    await fitHead({ ...options, recipe: { ...recipe, epochs: 2 }, onProgress: (progress) => calls.push(progress) })
    const { total } = calls[0] as { total: number }
    expect(calls.map(({ done }) => done)).toEqual(calls.map(({ done }) => done).sort((a, b) => a - b))
    expect(calls.at(-1)).toEqual({ done: total, total })
  })

  it('stops when aborted', async () => {
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('enough'))
    await expect(fitHead({ ...options, signal: controller.signal, onProgress })).rejects.toThrow('enough')
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses a feature %d and names its row', async (value) => {
    const { heldOut } = await fitHead({ ...options, recipe: { ...recipe, epochs: 1 } })
    const row = [400, 401, 402, 403].find((candidate) => !heldOut.rows.includes(candidate)) as number
    const broken = fitHead({ ...options, features: await featuresWith(row, value) })
    await expect(broken).rejects.toThrow(NonFiniteValueError)
    await expect(broken).rejects.toThrow(`holds ${value} in row ${row}`)
  })

  it('refuses a feature that is NaN in a held-out row', async () => {
    const row = (await fitHead({ ...options, recipe: { ...recipe, epochs: 1 } })).heldOut.rows[3] as number
    await expect(fitHead({ ...options, features: await featuresWith(row, Number.NaN) })).rejects.toThrow(
      `in row ${row}`,
    )
  })

  it('says that a rate is too high when the loss overflows on finite features', async () => {
    const wild = fitHead({ ...options, recipe: { ...recipe, peakLearningRate: 1e38 } })
    await expect(wild).rejects.toThrow(FitDivergedError)
    await expect(wild).rejects.toThrow(/peakLearningRate, now 1e\+38/)
  })

  it.each([
    [
      'a label that is no class',
      { targets: (t: ToyData) => ({ ...t.targets, labels: t.targets.labels.with(7, 3) }) },
      /Row 7 has label 3/,
    ],
    [
      'a negative label',
      { targets: (t: ToyData) => ({ ...t.targets, labels: t.targets.labels.with(9, -1) }) },
      /Row 9 has label -1/,
    ],
    [
      'labels for other rows',
      { targets: (t: ToyData) => ({ ...t.targets, labels: t.targets.labels.slice(1) }) },
      /599 labels/,
    ],
    [
      'no labels for a loss that needs them',
      { targets: (t: ToyData) => ({ ...t.targets, labels: null }) },
      /use 'distillation'/,
    ],
    [
      'a negative row weight',
      { rowWeights: () => new Float32Array(600).fill(1).fill(-1, 5, 6) },
      /Row 5 has weight -1/,
    ],
    ['too few row weights', { rowWeights: () => new Float32Array(3) }, /3 row weights for 600 rows/],
    ['no rows at all', { rowWeights: () => new Float32Array(600) }, /0 rows to fit/],
    ['a recipe without epochs', { recipe: () => ({ ...recipe, epochs: 0 }) }, /whole numbers from 1/],
    ['a rank of 0', { rank: () => 0 }, /Rank 0 is not possible/],
    ['a dropout rate of 1', { recipe: () => ({ ...recipe, hiddenDropout: 1 }) }, /dropout rates/],
  ])('refuses %s', async (_, change, message) => {
    const changed = Object.fromEntries(Object.entries(change).map(([key, make]) => [key, make(toy)]))
    const refused = fitHead({ ...options, ...changed })
    await expect(refused).rejects.toThrow(InvalidArgumentError)
    await expect(refused).rejects.toThrow(message)
  })
})
