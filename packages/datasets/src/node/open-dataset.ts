import { ShapeMismatchError } from '@sluice/core'
import { type DataKind, type DataSpec, parseDataSpec } from '../data-spec.ts'
import type { Dataset } from '../dataset.ts'
import { createGlyphDataset } from '../glyphs/glyph-dataset.ts'
import { checkClassCount } from '../labels.ts'
import { select } from '../select.ts'
import { openCifar10, openCifar100 } from './cifar-folder.ts'
import { openIdx } from './idx-folder.ts'
import { openImageFolder } from './image-folder.ts'
import { openNpy } from './npy-file.ts'
import type { OpenOptions } from './open-options.ts'

/** Opens one kind of data and applies the string's selection. */
type Opener = (spec: DataSpec, options: OpenOptions) => Promise<Dataset>

const openers: Readonly<Record<DataKind, Opener>> = {
  cifar10: async (spec, options) => select(await openCifar10(spec.path, splitOf(spec, options)), spec.selection),
  cifar100: async (spec, options) => select(await openCifar100(spec.path, splitOf(spec, options)), spec.selection),
  idx: async (spec, options) =>
    select(await openIdx(spec.path, splitOf(spec, options), options.classes), spec.selection),
  npy: async (spec, options) => select(await openNpy(spec.path, options.classes), spec.selection),
  images: openImageFolder,
  glyphs: async (spec, options) => select(createGlyphDataset(splitOf(spec, options)), spec.selection),
}

/**
 * Opens what a DATA string names, e.g. `cifar10:data/cifar-10-batches-bin?split=train&limit=1000`. The order is split,
 * shuffle, skip, limit.
 *
 * @throws DataSpecError when the string is malformed
 * @throws DatasetError when files are missing, damaged or mislabelled
 * @throws InvalidArgumentError when the selection leaves no samples
 * @throws ClassCountMismatchError, ShapeMismatchError when the data do not fit `options.classes` or `options.sampleShape`
 */
export async function openDataset(spec: string, options: OpenOptions = {}): Promise<Dataset> {
  const parsed = parseDataSpec(spec)
  const dataset = await openers[parsed.kind](parsed, options)
  if (dataset.classes.length > 0) checkClassCount(dataset.name, dataset.classes, options.classes)
  checkSampleShape(dataset, options.sampleShape)
  return dataset
}

function splitOf(spec: DataSpec, options: OpenOptions) {
  return spec.split ?? options.split ?? 'test'
}

function checkSampleShape({ name, sampleShape }: Dataset, expected?: readonly number[]): void {
  if (expected === undefined || expected.join() === sampleShape.join()) return
  throw new ShapeMismatchError(`A sample of ${name}`, sampleShape, expected)
}
