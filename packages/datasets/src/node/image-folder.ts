import { join } from 'node:path'
import { toUnitFloats } from '../byte-image-dataset.ts'
import type { DataSpec } from '../data-spec.ts'
import type { Dataset } from '../dataset.ts'
import { DatasetError } from '../errors.ts'
import { checkIndices, selectIndices } from '../select.ts'
import { createImageDecoder, createImageTarget, type ImageDecoder, type ImageTarget } from './decode-image.ts'
import { type ImageEntry, listImages } from './image-list.ts'
import { mapConcurrently } from './map-concurrently.ts'
import type { OpenOptions } from './open-options.ts'

/** Share of unreadable files up to which they are left out instead of refused. */
const unreadableShareAtMost = 0.01

/** Decoded images kept in memory at most, so that a small folder is decoded once. */
const cacheBytesAtMost = 512 * 2 ** 20

const decodesAtOnce = 16

/**
 * Images in one folder per class, or listed in `images.csv`. Every selected file is decoded once on opening, so that
 * damaged ones are known before work starts: up to 1 % are left out with a warning that names them.
 *
 * @throws DatasetError when files are missing or more than 1 % are unreadable
 * @throws InvalidArgumentError for a sample shape or size that images cannot take, or when the selection leaves no samples
 */
export async function openImageFolder(spec: DataSpec, options: OpenOptions): Promise<Dataset> {
  const folder = spec.split === null ? spec.path : join(spec.path, spec.split)
  const target = createImageTarget(options.sampleShape ?? [3, 224, 224], options.resize ?? null)
  const { classes, entries } = await listImages(folder, options.classes)
  const selected = Array.from(selectIndices(entries.length, spec.selection), (index) => entries[index] as ImageEntry)
  const decode = await createImageDecoder(target)
  const images = await keepReadable(folder, selected, decode, options.onWarning ?? emitWarning)
  return createFolderDataset(folder, classes, target, images, decode)
}

const emitWarning = (message: string) => process.emitWarning(message)

interface ReadableImage extends ImageEntry {
  /** `[channels, height, width]`; null where the cache was full. */
  readonly pixels: Uint8Array | null
}

async function keepReadable(
  folder: string,
  entries: readonly ImageEntry[],
  decode: ImageDecoder,
  warn: (message: string) => void,
): Promise<readonly ReadableImage[]> {
  let cachedBytes = 0
  const images = await mapConcurrently(entries, decodesAtOnce, async (entry) => {
    const pixels = await decode(entry.path).catch(() => null)
    if (pixels === null) return null
    cachedBytes += pixels.length
    return { ...entry, pixels: cachedBytes <= cacheBytesAtMost ? pixels : null }
  })
  const skipped = entries.filter((_, i) => images[i] === null).map(({ path }) => path)
  if (skipped.length > 0) reportSkipped(folder, skipped, entries.length, warn)
  return images.filter((image) => image !== null)
}

function reportSkipped(folder: string, skipped: readonly string[], total: number, warn: (message: string) => void) {
  const named = skipped.length > 10 ? [...skipped.slice(0, 10), `and ${skipped.length - 10} more`] : skipped
  const what = `${skipped.length} of ${total} files of ${folder} cannot be read as images: ${named.join(', ')}`
  if (skipped.length > unreadableShareAtMost * total) {
    throw new DatasetError(`${what}. More than 1 % is refused; repair or remove them.`)
  }
  warn(`${what}. They are left out.`)
}

function createFolderDataset(
  folder: string,
  classes: readonly string[],
  { channels, height, width }: ImageTarget,
  images: readonly ReadableImage[],
  decode: ImageDecoder,
): Dataset {
  const sampleSize = channels * height * width
  return {
    name: folder,
    size: images.length,
    classes,
    sampleShape: [channels, height, width],
    read: async (indices) => {
      checkIndices(indices, images.length)
      const rows = Array.from(indices, (index) => images[index] as ReadableImage)
      const pixels = new Uint8Array(rows.length * sampleSize)
      await mapConcurrently([...rows.entries()], decodesAtOnce, async ([row, image]) => {
        pixels.set(image.pixels ?? (await decodeAgain(image.path, decode)), row * sampleSize)
      })
      return { images: toUnitFloats(pixels), labels: Int32Array.from(rows, ({ label }) => label), rows: rows.length }
    },
  }
}

/** @throws DatasetError when the file that could be read on opening no longer can */
function decodeAgain(path: string, decode: ImageDecoder): Promise<Uint8Array> {
  return decode(path).catch((cause: unknown) => {
    throw new DatasetError(`${path} can no longer be read as an image; do not change the folder while it is in use.`, {
      cause,
    })
  })
}
