import { z } from 'zod'

const count = z.int().min(1)

/** What every network's config has. */
export const commonFields = {
  /** Number of classes. */
  classes: z.int().min(2),
  /** Height, width and channels of an image. */
  input: z.tuple([count, count, count]),
  /** Factor of all channel counts. */
  width: z.number().gt(0).default(1),
}

/**
 * `cifar`: a 3x3 stem of stride 1 without pooling, for images of about 32 pixels. `imagenet`: the published stem, for about
 * 224 pixels.
 */
export const formField = z.enum(['cifar', 'imagenet'])

/** A whole number of channels, at least one. */
export function scaleChannels(channels: number, width: number): number {
  return Math.max(1, Math.round(channels * width))
}
