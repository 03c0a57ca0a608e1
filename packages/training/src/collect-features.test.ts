import { InvalidArgumentError, NonFiniteValueError, ShapeMismatchError, type Tensor } from '@sluice/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type CollectFeaturesOptions,
  collectFeatures,
  type FeatureBatch,
  type TappedAnswer,
} from './collect-features.ts'
import { createFeatureCollection, type FeatureCollection } from './feature-collection.ts'
import { createMemoryStorage } from './memory-storage.ts'

/**
 * A network `early = x + 1`, `late = 2 * early`, whose scores are the first two pixels of `late`. The features are the
 * averages over the pixels.
 */
const answerWith =
  (...taps: readonly ('early' | 'late')[]) =>
  async ({ dims: [rows = 0], data }: Tensor<'float32'>): Promise<TappedAnswer> => {
    const average = (row: number) => data.subarray(4 * row, 4 * row + 4).reduce((sum, pixel) => sum + pixel / 4, 0)
    const early = Float32Array.from({ length: rows }, (_, row) => average(row) + 1)
    const features = { early, late: early.map((value) => 2 * value) }
    const scores = Float32Array.from({ length: 2 * rows }, (_, i) => 2 * ((data[2 * i - (i % 2)] ?? 0) + 1))
    return {
      scores: { data: scores, rows, classCount: 2 },
      features: new Map(taps.map((tensor) => [tensor, features[tensor]])),
    }
  }

async function* feed(
  pixels: readonly number[][],
  labels: readonly number[] | null,
  size = 2,
): AsyncGenerator<FeatureBatch> {
  for (let first = 0; first < pixels.length; first += size) {
    const part = pixels.slice(first, first + size)
    yield {
      rows: part.length,
      images: { type: 'float32', dims: [part.length, 1, 2, 2], data: Float32Array.from(part.flat()) },
      labels: labels === null ? null : Int32Array.from(labels.slice(first, first + size)),
    }
  }
}

const pixels = [
  [0, 0, 0, 0],
  [1, 2, 3, 4],
  [2, 2, 2, 2],
  [4, 0, 0, 0],
  [8, 8, 8, 8],
]

let collection: FeatureCollection
let options: Omit<CollectFeaturesOptions, 'batches'>

beforeEach(() => {
  collection = createFeatureCollection(createMemoryStorage())
  options = { run: answerWith('early', 'late'), collection }
})

afterEach(() => collection.dispose())

const featuresOf = async (tensor: string) => [
  ...((await collection.features.get(tensor)?.read(0, collection.rows)) ?? []),
]

describe('collectFeatures', () => {
  it('keeps pooled features, scores and labels of every row in order', async () => {
    const progress: number[] = []
    await collectFeatures({
      ...options,
      batches: feed(pixels, [0, 1, 0, 1, 1]),
      onProgress: (rows) => progress.push(rows),
    })
    expect(collection.rows).toBe(5)
    expect(progress).toEqual([2, 4, 5])
    expect(await featuresOf('early')).toEqual([1, 3.5, 3, 2, 9])
    expect(await featuresOf('late')).toEqual([2, 7, 6, 4, 18])
    const { labels, networkScores } = collection.targets()
    expect(labels).toEqual(Int32Array.of(0, 1, 0, 1, 1))
    expect([...(await networkScores.read(0, 5))]).toEqual([2, 2, 4, 6, 6, 6, 10, 2, 18, 18])
  })

  it('fills one collection in two passes, the second with the kept taps alone', async () => {
    await collectFeatures({ ...options, batches: feed(pixels.slice(0, 3), [0, 1, 0]) })
    await collection.keep(['late'])
    await collectFeatures({ ...options, run: answerWith('late'), batches: feed(pixels.slice(3), [1, 1]) })
    expect([...collection.features.keys()]).toEqual(['late'])
    expect(await featuresOf('late')).toEqual([2, 7, 6, 4, 18])
    expect(collection.targets().labels).toEqual(Int32Array.of(0, 1, 0, 1, 1))
  })

  it('takes data without labels', async () => {
    await collectFeatures({ ...options, batches: feed(pixels, null) })
    expect(collection.targets().labels).toBeNull()
  })

  it('refuses other taps, or rows with labels behind rows without', async () => {
    await collectFeatures({ ...options, batches: feed(pixels, null) })
    const others = collectFeatures({ ...options, run: answerWith('late'), batches: feed(pixels, null) })
    await expect(others).rejects.toThrow(/\[late\] cannot follow those of \[early, late\]; call keep/)
    await expect(collectFeatures({ ...options, batches: feed(pixels, [0, 0, 0, 0, 0]) })).rejects.toThrow(
      /some have none/,
    )
    expect(collection.rows).toBe(5)
  })

  it('names the row of a label that is no class', async () => {
    const labels = [0, 1, 0, 2, 0]
    await expect(collectFeatures({ ...options, batches: feed(pixels, labels) })).rejects.toThrow(/Row 3 has label 2/)
    await expect(collectFeatures({ ...options, batches: feed(pixels, labels) })).rejects.toThrow(InvalidArgumentError)
  })

  it('names the row for which the network answers NaN', async () => {
    const broken = feed(pixels.with(4, [Number.NaN, 0, 0, 0]), null)
    const failed = collectFeatures({ ...options, batches: broken })
    await expect(failed).rejects.toThrow(NonFiniteValueError)
    await expect(failed).rejects.toThrow(/NaN in row 4/)
  })

  it('frees the features that it was given once they are stored', async () => {
    const given: Float32Array[] = []
    const run = async (images: Tensor<'float32'>) => {
      const { scores, features } = await answerWith('early')(images)
      // Smaller arrays are not worth freeing.
      const large = new Float32Array(2 ** 16).subarray(0, images.dims[0])
      large.set(features.get('early') ?? [])
      given.push(large)
      return { scores, features: new Map([['early', large]]) }
    }
    await collectFeatures({ ...options, run, batches: feed(pixels, null) })
    expect(given.map(({ length }) => length)).toEqual([0, 0, 0])
    expect(await featuresOf('early')).toEqual([1, 3.5, 3, 2, 9])
  })

  it('refuses an answer for another number of rows', async () => {
    const run = (images: Tensor<'float32'>) => answerWith('late')({ ...images, dims: [1, 1, 2, 2] })
    const failed = collectFeatures({ ...options, run, batches: feed(pixels, null) })
    await expect(failed).rejects.toThrow(ShapeMismatchError)
    await expect(failed).rejects.toThrow("The network's output has shape [1, 2]; pass [2, classes]")
  })

  it('stops when aborted', async () => {
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('enough'))
    const aborted = collectFeatures({ ...options, batches: feed(pixels, null), signal: controller.signal, onProgress })
    await expect(aborted).rejects.toThrow('enough')
    expect(collection.rows).toBe(2)
  })
})

it('an empty collection has no targets', () => {
  expect(() => collection.targets()).toThrow(InvalidArgumentError)
})
