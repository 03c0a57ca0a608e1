import { InvalidArgumentError } from '@sluice/core'
import { expect, it } from 'vitest'
import { addAugmentedCopies } from './augmented-copies.ts'
import type { Dataset } from './dataset.ts'

/** Five images of one channel, 2 x 3, whose pixels count on from ten times the image's number; an image's label is its number. */
const dataset: Dataset = {
  name: 'counting',
  size: 5,
  classes: ['a', 'b', 'c', 'd', 'e'],
  sampleShape: [1, 2, 3],
  read: async (indices) => ({
    images: Float32Array.from(Array.from(indices).flatMap((index) => [1, 2, 3, 4, 5, 6].map((i) => 10 * index + i))),
    labels: Int32Array.from(indices),
    rows: indices.length,
  }),
}

const augmentation = { pad: 1, flip: true }
const copied = addAugmentedCopies(dataset, { copies: 3, augmentation, seed: 5 })

it('has the samples first, as they are, and behind them the copies with their labels', async () => {
  expect(copied.size).toBe(20)
  const { images, labels } = await copied.read(Array.from({ length: 20 }, (_, index) => index))
  expect(images.slice(0, 30)).toEqual((await dataset.read([0, 1, 2, 3, 4])).images)
  expect(Array.from(labels ?? [])).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
  const variants = new Set([0, 1, 2, 3].map((copy) => images.slice(30 * copy + 6, 30 * copy + 12).join()))
  expect(variants.size).toBeGreaterThan(2)
  for (const pixel of images.slice(36, 42)) expect([0, 11, 12, 13, 14, 15, 16]).toContain(pixel)
})

it('gives a copy the same pixels whichever others are read with it, and other ones for another seed', async () => {
  const { images } = await copied.read([19, 3, 8])
  expect((await copied.read([8])).images).toEqual(images.slice(12))
  expect((await copied.read([19])).images).toEqual(images.slice(0, 6))
  const everyone = Array.from({ length: 20 }, (_, index) => index)
  const other = addAugmentedCopies(dataset, { copies: 3, augmentation, seed: 6 })
  expect((await other.read(everyone)).images).not.toEqual((await copied.read(everyone)).images)
})

it('refuses indices behind the last copy, samples that are no images, and copies that change nothing', async () => {
  await expect(copied.read([20])).rejects.toThrow('the dataset has samples 0 to 19')
  const copy = (sampleShape: readonly number[], change: object = {}) =>
    addAugmentedCopies(
      { ...dataset, sampleShape },
      { copies: 1, augmentation: { ...augmentation, ...change }, seed: 5 },
    )
  expect(() => copy([6])).toThrow(InvalidArgumentError)
  expect(() => copy([1, 2, 3], { pad: 0, flip: false })).toThrow('Images of 2 x 3 pixels')
  expect(copy([1, 2, 3], { pad: 0 }).size).toBe(10)
})
