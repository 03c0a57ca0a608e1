import { createMemoryStorage, type FeatureMap } from '@sluice/training'
import { describe, expect, it } from 'vitest'
import { coarsenFeatures } from './coarse-features.ts'

async function createFeatures(map: FeatureMap | undefined, row: readonly number[]) {
  const store = await createMemoryStorage().createStore(row.length)
  await store.append(Float32Array.from([...row, ...row.map((value) => -value)]))
  const { width, rows } = store
  return { width, rows, blockRows: 1, map, read: store.read }
}

/** A map of 8 rows and 4 columns, so that windows are two rows of one column. */
const size = { height: 8, width: 4 }
const values = Array.from({ length: 32 }, (_, index) => (index * 7) % 32)
const windows = Array.from({ length: 16 }, (_, window) => [8 * Math.floor(window / 4) + (window % 4), 4])
const pairs = windows.map(([first = 0, further = 0]) => [values[first] ?? 0, values[first + further] ?? 0] as const)
const averages = pairs.map(([a, b]) => (a + b) / 2)
const maxima = pairs.map(([a, b]) => Math.max(a, b))

describe('coarse features', () => {
  it('are averages of averages and maxima of maxima, with the channels first', async () => {
    const tripled = values.map((value) => 3 * value)
    const features = await createFeatures({ outer: 2, ...size, inner: 1 }, [...values, ...tripled])
    const coarse = await coarsenFeatures(features, true)
    expect(coarse.rows).toBe(2)
    expect([...(await coarse.read(0, 1))]).toEqual([...averages, ...maxima.map((value) => 3 * value)])
    const lowest = pairs.map(([a, b]) => -3 * Math.min(a, b))
    expect([...(await coarse.read(1, 1))]).toEqual([...averages.map((value) => -value), ...lowest])
  })

  it('take both from the values of a map without maxima, with the channels last', async () => {
    const row = values.flatMap((value) => [value, 2 * value])
    const coarse = await coarsenFeatures(await createFeatures({ outer: 1, ...size, inner: 2 }, row), false)
    const double = (list: readonly number[]) => list.map((value) => 2 * value)
    expect([...(await coarse.read(0, 1))]).toEqual([...averages, ...double(averages), ...maxima, ...double(maxima)])
  })

  it('are the features themselves where they are no map, or no finer one', async () => {
    const plain = await createFeatures(undefined, values)
    expect(await coarsenFeatures(plain, true)).toBe(plain)
    const small = await createFeatures({ outer: 8, height: 2, width: 2, inner: 1 }, values)
    expect(await coarsenFeatures(small, true)).toBe(small)
  })
})
