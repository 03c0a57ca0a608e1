import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalise, sampleShapeOf } from './normalise.ts'

const mean = [0.1, 0.2, 0.3]
const std = [0.5, 0.25, 2]

describe('normalise', () => {
  test('scales each channel in place for NCHW', () => {
    const images = Float32Array.from([0.1, 0.6, 0.2, 0.45, 0.3, 2.3])
    const result = normalise(images, { shape: [3, 1, 2], layout: 'NCHW', mean, std })
    expect(result).toBe(images)
    for (const [i, value] of [0, 1, 0, 1, 0, 1].entries()) expect(result[i]).toBeCloseTo(value, 5)
  })

  test('puts channels last for NHWC, the same values as for NCHW', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        (rows, height, width) => {
          const images = Float32Array.from({ length: rows * 3 * height * width }, (_, i) => i / 10)
          const first = normalise(images.slice(), { shape: [3, height, width], layout: 'NCHW', mean, std })
          const last = normalise(images.slice(), { shape: [height, width, 3], layout: 'NHWC', mean, std })
          const plane = height * width
          for (let row = 0; row < rows; row++)
            for (let c = 0; c < 3; c++)
              for (let i = 0; i < plane; i++)
                expect(last[(row * plane + i) * 3 + c]).toBe(first[(row * 3 + c) * plane + i])
        },
      ),
      { seed: 1, numRuns: 50 },
    )
  })

  test('leaves values as they are where mean and std are empty', () => {
    const images = Float32Array.from([1, 2, 3, 4])
    expect(Array.from(normalise(images, { shape: [2], layout: 'none', mean: [], std: [] }))).toEqual([1, 2, 3, 4])
  })

  test('takes data without layout as one channel', () => {
    const values = normalise(Float32Array.from([1, 2, 3, 4]), { shape: [2], layout: 'none', mean: [1], std: [2] })
    expect(Array.from(values)).toEqual([0, 0.5, 1, 1.5])
  })

  test('refuses images that are no whole number of samples', () => {
    const input = { shape: [3, 2, 2], layout: 'NCHW', mean, std } as const
    expect(() => normalise(new Float32Array(13), input)).toThrow(/has shape \[13\]; pass \[rows, 3, 2, 2\]/)
  })

  test('refuses mean and std that do not fit the channels, and a std of 0', () => {
    const input = { shape: [3, 2, 2], layout: 'NCHW' } as const
    const images = new Float32Array(12)
    expect(() => normalise(images, { ...input, mean: [0.5], std: [0.5] })).toThrow(/give 3 values of each/)
    expect(() => normalise(images, { ...input, mean, std: [1, 0, 1] })).toThrow(/std above 0/)
    expect(() => normalise(images, { ...input, mean, std: [] })).toThrow(/give 3 values of each/)
  })

  test('refuses an image layout with other than three dimensions', () => {
    expect(() => normalise(new Float32Array(4), { shape: [4], layout: 'NCHW', mean: [], std: [] })).toThrow(
      /layout NCHW has shape \[4\]/,
    )
  })
})

test('sampleShapeOf gives channels first, whatever the layout', () => {
  expect(sampleShapeOf({ shape: [224, 200, 3], layout: 'NHWC' })).toEqual([3, 224, 200])
  expect(sampleShapeOf({ shape: [3, 224, 200], layout: 'NCHW' })).toEqual([3, 224, 200])
  expect(sampleShapeOf({ shape: [7], layout: 'none' })).toEqual([7])
})
