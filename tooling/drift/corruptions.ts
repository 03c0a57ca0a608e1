import { createRandom, type Dataset } from '@sluice/datasets'

/** Changes the images of a dataset; `size` is the side length of the square images. */
export interface Corruption {
  readonly name: string
  /** Strengths, ascending, of severities 1 to 5; severity 0 leaves the images as they are. */
  readonly strengths: readonly number[]
  /** @param index the sample's index in the dataset, so that it always meets the same noise */
  corrupt(image: Float32Array, size: number, strength: number, index: number): Float32Array
}

/** Gaussian blur; strengths are standard deviations in pixels. CIFAR-10-C (arXiv 1903.12261) has 0.4 to 1. */
export const blur: Corruption = {
  name: 'blur',
  strengths: [0.4, 0.6, 0.8, 1, 1.2],
  corrupt(image, size, deviation) {
    const kernel = createKernel(deviation)
    return smooth(smooth(image, size, kernel, 1), size, kernel, size)
  },
}

/** Gaussian noise, clipped to 0..1; strengths are standard deviations. CIFAR-10-C (arXiv 1903.12261) has 0.04 to 0.1. */
export const noise: Corruption = {
  name: 'noise',
  strengths: [0.02, 0.04, 0.06, 0.08, 0.1],
  corrupt(image, _size, deviation, index) {
    const random = createRandom(0, index)
    return image.map((pixel) => Math.min(1, Math.max(0, pixel + deviation * random.normal())))
  },
}

/** The dataset as it reads when every image is corrupted. */
export function corruptDataset(dataset: Dataset, corruption: Corruption, strength: number): Dataset {
  const sampleSize = dataset.sampleShape.reduce((product, length) => product * length, 1)
  const size = dataset.sampleShape.at(-1) ?? 0
  return {
    ...dataset,
    async read(indices) {
      const batch = await dataset.read(indices)
      const images = new Float32Array(batch.images.length)
      Array.from(indices).forEach((index, row) => {
        const start = row * sampleSize
        const image = batch.images.subarray(start, start + sampleSize)
        images.set(corruption.corrupt(image, size, strength, index), start)
      })
      return { ...batch, images }
    },
  }
}

/** Half of a normalised Gaussian, the middle first, cut off at four deviations. */
function createKernel(deviation: number): number[] {
  const half = Array.from({ length: Math.ceil(4 * deviation) + 1 }, (_, offset) =>
    Math.exp(-((offset / deviation) ** 2) / 2),
  )
  const sum = half.reduce((total, weight, offset) => total + (offset === 0 ? weight : 2 * weight), 0)
  return half.map((weight) => weight / sum)
}

/** Convolves along one axis of every channel, given by its stride; beyond the border its pixels repeat. */
function smooth(image: Float32Array, size: number, kernel: readonly number[], stride: number): Float32Array {
  return image.map((_, pixel) => {
    const position = Math.floor(pixel / stride) % size
    const at = (offset: number) => {
      const moved = Math.min(size - 1, Math.max(0, position + offset))
      return image[pixel + (moved - position) * stride] as number
    }
    return kernel.reduce((sum, weight, offset) => sum + weight * (offset === 0 ? at(0) : at(offset) + at(-offset)), 0)
  })
}
