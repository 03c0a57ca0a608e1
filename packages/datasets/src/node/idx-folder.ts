import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { createByteImageDataset } from '../byte-image-dataset.ts'
import type { Split } from '../data-spec.ts'
import type { Dataset } from '../dataset.ts'
import { DatasetError } from '../errors.ts'
import { type IdxArray, parseIdx } from '../idx.ts'
import { nameClasses } from '../labels.ts'
import { findFiles, readDataFile } from './files.ts'

const prefixes: Readonly<Record<Split, string>> = { train: 'train', test: '(?:t10k|test)' }

/**
 * A folder of the MNIST family: `train-images-idx3-ubyte` and its like, each also with `.gz` and with anything in front,
 * as EMNIST names them.
 * @param classes names of the classes; without, they are `0` up to the highest label
 * @throws DatasetError when a file is missing, there twice, damaged, or does not fit the other
 */
export async function openIdx(folder: string, split: Split, classes?: readonly string[]): Promise<Dataset> {
  const images = await readIdx(folder, split, 'images', 3)
  const labels = await readIdx(folder, split, 'labels', 1)
  const [size = 0, height = 0, width = 0] = images.dims
  if (labels.data.length !== size) {
    throw new DatasetError(
      `${folder} has ${size} ${split} images and ${labels.data.length} labels; take both files from one archive.`,
    )
  }
  const name = `${folder} ${split}`
  const labelValues = Int32Array.from(labels.data)
  return createByteImageDataset({
    name,
    classes: nameClasses(name, labelValues, classes),
    sampleShape: [1, height, width],
    pixels: images.data,
    labels: labelValues,
  })
}

async function readIdx(folder: string, split: Split, part: string, rank: number): Promise<IdxArray> {
  const pattern = new RegExp(`(?:^|-)${prefixes[split]}-${part}[.-]idx${rank}-ubyte(?:\\.gz)?$`)
  const paths = await findFiles(folder, pattern, `${split} ${part} in IDX format (*-${part}-idx${rank}-ubyte[.gz])`)
  const [path = '', other] = paths
  if (other !== undefined) {
    throw new DatasetError(`${folder} holds ${path} and ${other}, both ${split} ${part}; keep one of them.`)
  }
  const array = parseIdx(path, await readUnzipped(path))
  if (array.dims.length === rank) return array
  throw new DatasetError(`${path} has ${array.dims.length} dimensions; ${part} have ${rank}. Download it again.`)
}

async function readUnzipped(path: string): Promise<Uint8Array> {
  const bytes = await readDataFile(path)
  if (!path.endsWith('.gz')) return bytes
  return promisify(gunzip)(bytes).catch((cause: unknown) => {
    throw new DatasetError(`${path} is not a whole gzip file; download it again.`, { cause })
  })
}
