import { basename, join } from 'node:path'
import { createByteImageDataset } from '../byte-image-dataset.ts'
import {
  type CifarFormat,
  cifar10Format,
  cifar100Format,
  cifarSampleShape,
  parseCifar,
  parseClassNames,
} from '../cifar.ts'
import type { Split } from '../data-spec.ts'
import type { Dataset } from '../dataset.ts'
import { findFiles, readDataFile } from './files.ts'

interface CifarFolder {
  readonly format: CifarFormat
  readonly files: Readonly<Record<Split, RegExp>>
  readonly classNames: string
}

const cifar10: CifarFolder = {
  format: cifar10Format,
  files: { train: /^data_batch_\d+\.bin$/, test: /^test_batch\.bin$/ },
  classNames: 'batches.meta.txt',
}

const cifar100: CifarFolder = {
  format: cifar100Format,
  files: { train: /^train\.bin$/, test: /^test\.bin$/ },
  classNames: 'fine_label_names.txt',
}

/** The binary version of CIFAR-10 (`data_batch_*.bin`, `test_batch.bin`, `batches.meta.txt`). @throws DatasetError */
export function openCifar10(folder: string, split: Split): Promise<Dataset> {
  return openCifar(cifar10, folder, split)
}

/** The binary version of CIFAR-100, fine labels (`train.bin`, `test.bin`, `fine_label_names.txt`). @throws DatasetError */
export function openCifar100(folder: string, split: Split): Promise<Dataset> {
  return openCifar(cifar100, folder, split)
}

async function openCifar({ format, files, classNames }: CifarFolder, folder: string, split: Split): Promise<Dataset> {
  const paths = await findFiles(folder, files[split], `${format.name} ${split} files (binary version)`)
  const namesPath = join(folder, classNames)
  const classes = parseClassNames(format, namesPath, new TextDecoder().decode(await readDataFile(namesPath)))
  const contents = await Promise.all(paths.map(async (path) => ({ name: path, bytes: await readDataFile(path) })))
  const { pixels, labels } = parseCifar(format, contents)
  const name = `${format.name} ${split} of ${basename(folder)}`
  return createByteImageDataset({ name, classes, sampleShape: cifarSampleShape, pixels, labels })
}
