import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { batches, createGlyphDataset, encodeNpy, type Split } from '@sluice/datasets'

/** Writes both splits of the glyphs as `SPLIT-images.npy` (bytes, NCHW) and `SPLIT-labels.npy` into a folder. */
async function writeGlyphs(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const split of ['train', 'test'] as const) await writeSplit(folder, split)
}

async function writeSplit(folder: string, split: Split): Promise<void> {
  const dataset = createGlyphDataset(split)
  for await (const { images, labels, rows } of batches(dataset, dataset.size)) {
    const bytes = Uint8Array.from(images, (value) => Math.round(value * 255))
    writeFileSync(join(folder, `${split}-images.npy`), encodeNpy(bytes, [rows, ...dataset.sampleShape]))
    writeFileSync(join(folder, `${split}-labels.npy`), encodeNpy(labels ?? new Int32Array(0), [rows]))
  }
}

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name the folder to write to.')
await writeGlyphs(folder)
