import { describe, expect, test } from 'vitest'
import { augmentImages, epochOrder } from './augment.ts'

const sampleShape = [2, 3, 4]
const sampleSize = 24

/** Samples whose values name sample, channel, row and column, none of them 0. */
function countingImages(indices: Uint32Array): Float32Array {
  return Float32Array.from({ length: indices.length * sampleSize }, (_, i) => {
    return (indices[Math.floor(i / sampleSize)] as number) * 100 + (i % sampleSize) + 1
  })
}

function augment(indices: number[], { pad = 1, flip = true, seed = 3, epoch = 0 } = {}): Float32Array[] {
  const samples = Uint32Array.from(indices)
  const images = augmentImages(countingImages(samples), { pad, flip }, { sampleShape, indices: samples, seed, epoch })
  return indices.map((_, row) => images.slice(row * sampleSize, (row + 1) * sampleSize))
}

const many = Array.from({ length: 200 }, (_, index) => index)

describe('augmentImages', () => {
  test('changes a sample by seed, epoch and index alone, whatever its batch', () => {
    const whole = augment(many)
    const part = augment([7, 150, 7])
    expect(part).toEqual([whole[7], whole[150], whole[7]])
    expect(augment(many, { epoch: 1 })).not.toEqual(whole)
    expect(augment(many, { seed: 4 })).not.toEqual(whole)
  })

  test('leaves images as they are without border and mirroring', () => {
    const images = countingImages(Uint32Array.of(5))
    expect(augment([5], { pad: 0, flip: false })).toEqual([images])
  })

  test('yields each crop of the bordered image, mirrored or not, about equally often', () => {
    const seen = new Map<string, number>()
    const samples = Array.from({ length: 3600 }, (_, index) => index)
    augment(samples).forEach((image, index) => {
      const key = Array.from(image, (value) => (value === 0 ? 0 : value - 100 * index)).join()
      seen.set(key, (seen.get(key) ?? 0) + 1)
    })
    expect(seen.size).toBe(18)
    // 200 expected of each; 60 are more than four standard deviations.
    for (const count of seen.values()) expect(Math.abs(count - 200)).toBeLessThan(60)
    const shiftedDownRight = [0, 0, 0, 0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 0, 0, 0, 0, 13, 14, 15, 0, 17, 18, 19]
    const mirroredUpLeft = [0, 8, 7, 6, 0, 12, 11, 10, 0, 0, 0, 0, 0, 20, 19, 18, 0, 24, 23, 22, 0, 0, 0, 0]
    expect(seen.has(shiftedDownRight.join())).toBe(true)
    expect(seen.has(mirroredUpLeft.join())).toBe(true)
  })

  test('refuses a border that is no whole number, samples that are no images, and a wrong number of values', () => {
    expect(() => augment([0], { pad: 0.5 })).toThrow('0.5 pixels')
    const samples = { sampleShape, indices: Uint32Array.of(0), seed: 0, epoch: 0 }
    const augmentation = { pad: 1, flip: true }
    expect(() => augmentImages(new Float32Array(24), augmentation, { ...samples, sampleShape: [24] })).toThrow('[24]')
    expect(() => augmentImages(new Float32Array(23), augmentation, samples)).toThrow('shape [23]')
  })
})

describe('epochOrder', () => {
  test('visits every sample once, in another order each epoch', () => {
    const order = epochOrder(500, 1, 0)
    expect(Array.from(order).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, index) => index))
    expect(epochOrder(500, 1, 0)).toEqual(order)
    expect(epochOrder(500, 1, 1)).not.toEqual(order)
    expect(epochOrder(500, 2, 0)).not.toEqual(order)
  })
})
