import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batches } from './batches.ts'
import { createByteImageDataset } from './byte-image-dataset.ts'
import { select, selectIndices } from './select.ts'

/** A dataset of 1 x 1 images whose pixel and label are the index. */
function countingDataset(size: number) {
  const pixels = Uint8Array.from({ length: size }, (_, i) => i)
  const classes = Array.from(pixels, String)
  return createByteImageDataset({
    name: 'counting',
    classes,
    sampleShape: [1, 1, 1],
    pixels,
    labels: Int32Array.from(pixels),
  })
}

describe('selectIndices', () => {
  test('shuffles, then skips, then limits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.nat(199),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(),
        (size, skip, limit, shuffle) => {
          fc.pre(skip < size)
          const whole = Array.from(selectIndices(size, { shuffle }))
          expect(whole.toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i))
          expect(Array.from(selectIndices(size, { shuffle, skip, limit }))).toEqual(whole.slice(skip, skip + limit))
        },
      ),
      { seed: 1, numRuns: 200 },
    )
  })

  test('keeps the order where no seed is given, and gives another order for another seed', () => {
    expect(Array.from(selectIndices(4, { skip: 1 }))).toEqual([1, 2, 3])
    expect(selectIndices(50, { shuffle: 1 })).not.toEqual(selectIndices(50, { shuffle: 2 }))
  })

  test('refuses a selection that leaves nothing, with both numbers and a remedy', () => {
    expect(() => selectIndices(10, { skip: 10 })).toThrow(/No samples are left of 10 after skip=10.*use a smaller skip/)
    expect(() => selectIndices(0, {})).toThrow(/No samples are left of 0/)
  })
})

describe('select', () => {
  test('reads through the selection, and a selection of a selection reads through both', async () => {
    const dataset = select(select(countingDataset(20), { skip: 5 }), { skip: 2, limit: 3 })
    expect(dataset.size).toBe(3)
    expect(Array.from((await dataset.read([2, 0, 0])).labels ?? [])).toEqual([9, 7, 7])
  })

  test('refuses indices outside the selection although the dataset behind it has them', async () => {
    const dataset = select(countingDataset(20), { limit: 3 })
    await expect(dataset.read([3])).rejects.toThrow(/Sample 3 does not exist; the dataset has samples 0 to 2/)
    await expect(dataset.read([-1])).rejects.toThrow(/Sample -1/)
    await expect(dataset.read([0.5])).rejects.toThrow(/Sample 0.5/)
  })
})

describe('batches', () => {
  test('yields every sample once, in order, the last batch smaller', async () => {
    const labels: number[][] = []
    for await (const batch of batches(countingDataset(10), 4)) {
      expect(batch.images).toEqual(Float32Array.from(batch.labels ?? [], (label) => label / 255))
      labels.push(Array.from(batch.labels ?? []))
    }
    expect(labels).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
  })

  test('refuses a size that is no whole number from 1 on', async () => {
    for (const size of [0, -1, 1.5, Number.NaN]) {
      await expect(batches(countingDataset(3), size).next()).rejects.toThrow(
        `A batch of ${size} samples is not possible`,
      )
    }
  })

  test('hands on the error of the batch that fails, after the batches before it', async () => {
    const dataset = countingDataset(4)
    const failing: typeof dataset = {
      ...dataset,
      read: async (indices) => {
        if (indices[0] === 2) throw new Error('gone')
        return dataset.read(indices)
      },
    }
    const iterator = batches(failing, 2)
    expect((await iterator.next()).value?.rows).toBe(2)
    await expect(iterator.next()).rejects.toThrow('gone')
  })

  test('stops reading when the caller leaves early, also when the batch read ahead fails', async () => {
    const dataset = countingDataset(4)
    const failing: typeof dataset = {
      ...dataset,
      read: (indices) => (indices[0] === 0 ? dataset.read(indices) : Promise.reject(new Error('gone'))),
    }
    for await (const batch of batches(failing, 1)) {
      expect(batch.rows).toBe(1)
      break
    }
  })
})
