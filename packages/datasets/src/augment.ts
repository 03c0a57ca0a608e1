import { InvalidArgumentError, ShapeMismatchError } from '@sluice/core'
import { createRandom } from './random.ts'
import { permute } from './select.ts'

/** Random changes to training images that leave their class as it is (He et al., arXiv 1512.03385, section 4.2). */
export interface Augmentation {
  /** Pixels of black border added on every side before a random crop of the original size; 0 for none. */
  readonly pad: number
  /** Whether each image is mirrored left to right with probability 1/2. */
  readonly flip: boolean
}

/** Which samples of which pass over the data a batch holds; with the seed it decides what becomes of each. */
export interface AugmentedSamples {
  /** `[channels, height, width]`. */
  readonly sampleShape: readonly number[]
  /** Index of each row's sample in the dataset. */
  readonly indices: Uint32Array
  readonly seed: number
  /** Number of the pass over the data. */
  readonly epoch: number
}

/**
 * Pads, crops and mirrors a batch. What happens to a sample depends on seed, epoch and the sample's index alone, not on
 * its batch, so that a resumed training sees what an uninterrupted one sees.
 *
 * @param images `[rows, ...sampleShape]`, pixels 0..1, read only
 * @returns a new array of the same shape
 * @throws InvalidArgumentError unless `pad` is a whole number from 0 on and the samples are images
 * @throws ShapeMismatchError when `images` is not one sample per index
 */
export function augmentImages(
  images: Float32Array,
  { pad, flip }: Augmentation,
  { sampleShape, indices, seed, epoch }: AugmentedSamples,
): Float32Array {
  const [channels, height, width] = requireImages(sampleShape, pad)
  const sampleSize = channels * height * width
  if (images.length !== indices.length * sampleSize) {
    throw new ShapeMismatchError('The images', [images.length], [indices.length, ...sampleShape])
  }
  const result = new Float32Array(images.length)
  const epochSeed = mixEpoch(seed, epoch)
  indices.forEach((index, row) => {
    const random = createRandom(epochSeed, index)
    const shift = { down: random.below(2 * pad + 1) - pad, right: random.below(2 * pad + 1) - pad }
    const mirrored = flip && random.next() < 0.5
    const [start, end] = [row * sampleSize, (row + 1) * sampleSize]
    moveImage(images.subarray(start, end), result.subarray(start, end), height, width, shift, mirrored)
  })
  return result
}

/** @throws InvalidArgumentError for samples that are no images, and for an augmentation that leaves all as they are */
export function checkAugmentation({ pad, flip }: Augmentation, sampleShape: readonly number[]): void {
  requireImages(sampleShape, pad)
  if (pad > 0 || flip) return
  throw new InvalidArgumentError(
    `Images of ${sampleShape.slice(1).join(' x ')} pixels are neither shifted nor mirrored, so that copies would be the images themselves; ask for none.`,
  )
}

/** The order in which a pass over `size` samples visits them; the same for the same seed and epoch. */
export function epochOrder(size: number, seed: number, epoch: number): Uint32Array {
  return permute(size, mixEpoch(seed, epoch))
}

function mixEpoch(seed: number, epoch: number): number {
  return createRandom(seed, epoch).below(2 ** 32)
}

function requireImages(sampleShape: readonly number[], pad: number): readonly [number, number, number] {
  const [channels, height, width] = sampleShape
  if (!Number.isInteger(pad) || pad < 0) {
    throw new InvalidArgumentError(`A border of ${pad} pixels is not possible; use a whole number from 0 on.`)
  }
  if (sampleShape.length === 3 && channels !== undefined && height !== undefined && width !== undefined) {
    return [channels, height, width]
  }
  throw new InvalidArgumentError(
    `Samples of shape [${sampleShape.join(', ')}] cannot be padded or mirrored; use images, or no augmentation.`,
  )
}

/** Pixels that come from outside stay 0. */
function moveImage(
  from: Float32Array,
  to: Float32Array,
  height: number,
  width: number,
  { down, right }: { readonly down: number; readonly right: number },
  mirrored: boolean,
): void {
  for (let line = 0; line < from.length / width; line++) {
    const source = (line % height) + down
    if (source < 0 || source >= height) continue
    const [target, origin] = [line * width, (line + down) * width]
    for (let x = 0; x < width; x++) {
      const column = x + right
      if (column < 0 || column >= width) continue
      to[target + (mirrored ? width - 1 - x : x)] = from[origin + column] as number
    }
  }
}
