import { toUnitFloats } from '../byte-image-dataset.ts'
import type { Split } from '../data-spec.ts'
import type { Dataset } from '../dataset.ts'
import { checkIndices } from '../select.ts'
import { drawGlyph, glyphClasses } from './draw-glyph.ts'

/** Size and seed of each split; the seeds differ, so no glyph is in both. */
export const glyphSplits: Readonly<Record<Split, { readonly size: number; readonly seed: number }>> = {
  train: { size: 20_000, seed: 1 },
  test: { size: 10_000, seed: 2 },
}

/**
 * The built-in data: drawn signs of ten classes, 3 x 32 x 32, from trivial to very hard. Nothing is stored; each glyph is
 * drawn when it is read.
 */
export function createGlyphDataset(split: Split): Dataset {
  const { size, seed } = glyphSplits[split]
  return {
    name: `glyphs ${split}`,
    size,
    classes: glyphClasses,
    sampleShape: [3, 32, 32],
    read: async (indices) => {
      checkIndices(indices, size)
      const glyphs = Array.from(indices, (index) => drawGlyph(seed, index))
      const images = new Float32Array(indices.length * 3 * 32 * 32)
      glyphs.forEach(({ pixels }, row) => {
        images.set(toUnitFloats(pixels), row * pixels.length)
      })
      return { images, labels: Int32Array.from(glyphs, ({ label }) => label), rows: indices.length }
    },
  }
}
