import { InvalidArgumentError } from '@sluice/core'
import type { OutputInfo, ResizeOptions } from 'sharp'
import { DatasetError } from '../errors.ts'

/** How a file becomes a sample. */
export interface ImageTarget {
  /** 1 (grey) or 3 (RGB). */
  readonly channels: number
  readonly height: number
  readonly width: number
  /** Shorter side after resizing, in pixels; null resizes until the image just covers the crop. */
  readonly resize: number | null
}

/**
 * The target for samples of a shape.
 * @throws InvalidArgumentError for a shape that images cannot take, or a shorter side less than the crop
 */
export function createImageTarget(sampleShape: readonly number[], resize: number | null): ImageTarget {
  const [channels = 0, height = 0, width = 0, ...more] = sampleShape
  if ((channels !== 1 && channels !== 3) || !(height >= 1) || !(width >= 1) || more.length > 0) {
    throw new InvalidArgumentError(
      `Images cannot be brought to [${sampleShape.join(', ')}]; a sample is [1 or 3, height, width].`,
    )
  }
  if (resize !== null && resize < Math.max(height, width)) {
    throw new InvalidArgumentError(
      `A shorter side of ${resize} pixels is less than the crop of ${height} x ${width}; resize to at least ${Math.max(height, width)}.`,
    )
  }
  return { channels, height, width, resize }
}

/** Turns an image file into bytes `[channels, height, width]`. Rejects with the decoder's error. */
export type ImageDecoder = (path: string) => Promise<Uint8Array>

/**
 * A decoder on sharp: upright by EXIF, sRGB without alpha, resized with a linear kernel, cropped at the centre.
 * @throws DatasetError when sharp is not installed
 */
export async function createImageDecoder(target: ImageTarget): Promise<ImageDecoder> {
  const { default: sharp } = await import('sharp').catch((cause: unknown) => {
    throw new DatasetError('Folders of images need the package sharp; run npm install sharp.', { cause })
  })
  const { channels, height, width, resize } = target
  const size: ResizeOptions = resize === null ? { width, height } : { width: resize, height: resize, fit: 'outside' }
  return async (path) => {
    const { data, info } = await sharp(path, { failOn: 'error' })
      .rotate()
      .resize({ ...size, kernel: 'linear' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return cropChannelsFirst(data, info, target)
  }
}

/** sharp keeps a grey file at one channel also where RGB is asked for; that channel then serves as all three. */
function cropChannelsFirst(data: Uint8Array, stored: OutputInfo, { channels, height, width }: ImageTarget): Uint8Array {
  const left = Math.round((stored.width - width) / 2)
  const top = Math.round((stored.height - height) / 2)
  const planes = new Uint8Array(channels * height * width)
  let to = 0
  for (let channel = 0; channel < channels; channel++) {
    const source = Math.min(channel, stored.channels - 1)
    for (let y = top; y < top + height; y++) {
      let from = (y * stored.width + left) * stored.channels + source
      for (let x = 0; x < width; x++, from += stored.channels) planes[to++] = data[from] as number
    }
  }
  return planes
}
