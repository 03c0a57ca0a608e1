import { toUnitFloats } from '../byte-image-dataset.ts'
import { DatasetError } from '../errors.ts'
import { createImageDecoder, createImageTarget } from './decode-image.ts'

/** What `readImage` brings an image to. */
export interface ReadImageOptions {
  /** `[channels, height, width]`, with 1 (grey) or 3 (RGB) channels. */
  readonly sampleShape: readonly number[]
  /** Shorter side in pixels after resizing, before the centre crop. Default, and null: just covers the crop. */
  readonly resize?: number | null
}

/**
 * Reads one image file as `[channels, height, width]` in 0..1, exactly as `openDataset` reads folders of images.
 * @throws DatasetError when the file cannot be read as an image
 * @throws InvalidArgumentError for a sample shape or size that images cannot take
 */
export async function readImage(path: string, { sampleShape, resize = null }: ReadImageOptions): Promise<Float32Array> {
  const decode = await createImageDecoder(createImageTarget(sampleShape, resize))
  const pixels = await decode(path).catch((cause: unknown) => {
    throw new DatasetError(
      `${path} cannot be read as an image (${describe(cause)}); pass a whole JPEG, PNG or WebP file.`,
      {
        cause,
      },
    )
  })
  return toUnitFloats(pixels)
}

/** The first line of the decoder's reason; it may add a line for each part of the file. */
function describe(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
  return line
}
