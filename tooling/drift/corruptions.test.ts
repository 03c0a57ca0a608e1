import type { Dataset } from '@sluice/datasets'
import { expect, it } from 'vitest'
import { blur, corruptDataset, noise } from './corruptions.ts'

const size = 8
const dot = Float32Array.from({ length: 2 * size * size }, (_, pixel) => (pixel === 3 * size + 4 ? 1 : 0))

it('blurs a dot into a Gaussian of the same sum, in its own channel', () => {
  const blurred = blur.corrupt(dot, size, 0.7, 0)
  const at = (row: number, column: number) => blurred[row * size + column] as number
  expect(blurred.reduce((sum, pixel) => sum + pixel, 0)).toBeCloseTo(1, 5)
  expect(at(3, 5) / at(3, 4)).toBeCloseTo(Math.exp(-1 / (2 * 0.49)), 5)
  expect(at(4, 5) / at(3, 4)).toBeCloseTo(Math.exp(-2 / (2 * 0.49)), 5)
  expect(at(2, 4)).toBeCloseTo(at(4, 4), 6)
  expect(Math.max(...blurred.subarray(size * size))).toBe(0)
})

it('leaves an even image as it is when it blurs, up to the border', () => {
  for (const pixel of blur.corrupt(new Float32Array(64).fill(0.3), size, 1.2, 0)) expect(pixel).toBeCloseTo(0.3, 5)
})

it('adds noise of the given deviation, the same for the same sample, and stays within 0..1', () => {
  const gray = new Float32Array(10_000).fill(0.5)
  const noisy = noise.corrupt(gray, 100, 0.1, 7)
  const variance = noisy.reduce((sum, pixel) => sum + (pixel - 0.5) ** 2, 0) / noisy.length
  expect(Math.sqrt(variance)).toBeCloseTo(0.1, 2)
  expect(noise.corrupt(gray, 100, 0.1, 7)).toEqual(noisy)
  expect(noise.corrupt(gray, 100, 0.1, 8)).not.toEqual(noisy)
  const white = noise.corrupt(gray.fill(1), 100, 0.1, 7)
  expect(Math.max(...white)).toBe(1)
})

it('corrupts every sample that is read by its own index, and leaves the dataset alone', async () => {
  const dataset: Dataset = {
    name: 'gray',
    size: 5,
    classes: [],
    sampleShape: [1, 4, 4],
    read: async (indices) => ({
      images: new Float32Array(16 * indices.length).fill(0.5),
      labels: null,
      rows: indices.length,
    }),
  }
  const corrupted = corruptDataset(dataset, noise, 0.1)
  const { images } = await corrupted.read([4, 1, 4])
  expect(images.subarray(0, 16)).toEqual(images.subarray(32))
  expect(images.subarray(0, 16)).not.toEqual(images.subarray(16, 32))
  expect((await dataset.read([4])).images[0]).toBe(0.5)
})
