import { countElements, InvalidArgumentError } from '@sluice/core'
import type { Dataset } from './dataset.ts'
import { checkLabels } from './labels.ts'
import { checkIndices } from './select.ts'

/** Images in memory, one byte per value. */
export interface ByteImages {
  readonly name: string
  readonly classes: readonly string[]
  /** `[channels, height, width]`. */
  readonly sampleShape: readonly number[]
  /** `[size, channels, height, width]`, 0..255. Kept by the dataset, not copied. */
  readonly pixels: Uint8Array
  /** One per image, indices into `classes`. Kept by the dataset, not copied. */
  readonly labels: Int32Array
}

/** A dataset over images in memory; byte `v` reads as `v / 255`. @throws DatasetError for a label outside the classes */
export function createByteImageDataset({ name, classes, sampleShape, pixels, labels }: ByteImages): Dataset {
  const sampleSize = countElements(sampleShape)
  if (pixels.length !== labels.length * sampleSize) {
    throw new InvalidArgumentError(
      `${name} has ${pixels.length} pixel values for ${labels.length} labels; pass ${sampleSize} values per label.`,
    )
  }
  checkLabels(name, labels, classes.length)
  return {
    name,
    size: labels.length,
    classes,
    sampleShape,
    read: async (indices) => {
      checkIndices(indices, labels.length)
      const rows = new Uint8Array(indices.length * sampleSize)
      indices.forEach((index, row) => {
        rows.set(pixels.subarray(index * sampleSize, (index + 1) * sampleSize), row * sampleSize)
      })
      return {
        images: toUnitFloats(rows),
        labels: Int32Array.from(indices, (index) => labels[index] as number),
        rows: indices.length,
      }
    },
  }
}

/** `bytes / 255`, as a new array. */
export function toUnitFloats(bytes: Uint8Array): Float32Array {
  const floats = new Float32Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) floats[i] = unitValues[bytes[i] as number] as number
  return floats
}

const unitValues = Float32Array.from({ length: 256 }, (_, value) => value / 255)
