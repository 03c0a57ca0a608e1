import type { NetworkSpec } from './networks.ts'
import type { Scale } from './scale.ts'

/** DATA strings of a run; `$DATA` is the folder. */
export interface DataStrings {
  /** Images that heads are fitted on. */
  readonly train: string
  /** All test images. */
  readonly test: string
  /** A random half of them, which chooses thresholds. */
  readonly tuning: string
  /** The other half, which judges them. */
  readonly judging: string
}

/** Of ImageNet's 1.28 million training images, as many as CIFAR-10 has. */
const imagenetTrainingImages = 50_000
const testImages = { cifar10: 10_000, imagenet: 50_000 }

/** What a network's gates are fitted, tuned and judged on. */
export function describeData(
  { weights }: Pick<NetworkSpec, 'weights'>,
  { images }: Pick<Scale, 'images'>,
): DataStrings {
  const isImagenet = weights.kind === 'torchvision'
  const half = Math.floor((images ?? testImages[isImagenet ? 'imagenet' : 'cifar10']) / 2)
  const test = isImagenet ? 'images:$DATA/val' : 'cifar10:$DATA?split=test'
  const train = isImagenet
    ? `images:$DATA?split=train&shuffle=0&limit=${images ?? imagenetTrainingImages}`
    : `cifar10:$DATA?split=train${images === null ? '' : `&limit=${images}`}`
  const more = (query: string) => `${test}${test.includes('?') ? '&' : '?'}${query}`
  return {
    train,
    test: images === null ? test : more(`shuffle=0&limit=${images}`),
    tuning: more(`shuffle=0&limit=${half}`),
    judging: more(`shuffle=0&skip=${half}${images === null ? '' : `&limit=${half}`}`),
  }
}
