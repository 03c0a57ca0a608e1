import { type Augmentation, augmentImages, checkAugmentation } from './augment.ts'
import type { Dataset } from './dataset.ts'
import { checkIndices } from './select.ts'

/** Changed copies of a dataset's images. */
export interface AugmentedCopiesOptions {
  /** How many of each image, from 0 on. */
  readonly copies: number
  readonly augmentation: Augmentation
  readonly seed: number
}

/**
 * The samples of a dataset of images, followed by changed copies of all of them, once or several times: sample
 * `copy * size + index` is sample `index`, as it is for copy 0. A copy is the same whenever it is read.
 * @throws InvalidArgumentError for samples that are no images, and for copies that would be the images themselves
 */
export function addAugmentedCopies(dataset: Dataset, { copies, augmentation, seed }: AugmentedCopiesOptions): Dataset {
  const { size, sampleShape } = dataset
  checkAugmentation(augmentation, sampleShape)
  const change = (image: Float32Array, copied: number) =>
    augmentImages(image, augmentation, {
      sampleShape,
      indices: Uint32Array.of(copied % size),
      seed,
      epoch: Math.floor(copied / size),
    })
  return {
    ...dataset,
    size: size * (copies + 1),
    read: async (indices) => {
      checkIndices(indices, size * (copies + 1))
      const batch = await dataset.read(Uint32Array.from(indices, (index) => index % size))
      const sampleSize = batch.images.length / batch.rows
      Uint32Array.from(indices).forEach((index, row) => {
        if (index < size) return
        const [start, end] = [row * sampleSize, (row + 1) * sampleSize]
        batch.images.set(change(batch.images.subarray(start, end), index), start)
      })
      return batch
    },
  }
}
