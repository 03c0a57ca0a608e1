import { type FileHandle, open } from 'node:fs/promises'
import { countElements, NonFiniteValueError } from '@sluice/core'
import type { Dataset } from '../dataset.ts'
import { DatasetError } from '../errors.ts'
import { nameClasses } from '../labels.ts'
import {
  decodeNpyValues,
  type NpyHeader,
  npyElementBytes,
  npyHeaderBytesAtMost,
  parseNpy,
  parseNpyHeader,
} from '../npy.ts'
import { checkIndices } from '../select.ts'
import { readDataFile, unreadable } from './files.ts'

/**
 * Samples `[size, ...sampleShape]` in one npy file, read from it as they are asked for, with labels `[size]` in another.
 * @param path `FILE` or `FILE,LABELS`
 * @param classes names of the classes; without, they are `0` up to the highest label
 * @throws DatasetError when a file is missing or damaged, or labels and samples do not fit
 */
export async function openNpy(path: string, classes?: readonly string[]): Promise<Dataset> {
  const [file, labelsFile] = splitPath(path)
  const header = await withFile(file, (handle) => readHeader(file, handle))
  const [size, ...sampleShape] = header.shape
  if (size === undefined || sampleShape.length === 0) {
    throw new DatasetError(`${file} has shape [${header.shape.join(', ')}]; samples need [size, ...shape of a sample].`)
  }
  const labels = labelsFile === null ? null : await readLabels(labelsFile, size)
  return {
    name: file,
    size,
    classes: labels === null ? [] : nameClasses(file, labels, classes),
    sampleShape,
    read: async (indices) => {
      checkIndices(indices, size)
      const images = await withFile(file, (handle) => readSamples(handle, header, indices))
      checkFinite(file, images, indices)
      const rowLabels = labels && Int32Array.from(indices, (index) => labels[index] as number)
      return { images, labels: rowLabels, rows: indices.length }
    },
  }
}

function splitPath(path: string): readonly [string, string | null] {
  const comma = path.lastIndexOf(',')
  return comma === -1 ? [path, null] : [path.slice(0, comma), path.slice(comma + 1)]
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}

async function readHeader(path: string, handle: FileHandle): Promise<NpyHeader> {
  const { size } = await handle.stat()
  const start = new Uint8Array(Math.min(size, npyHeaderBytesAtMost))
  await handle.read(start, 0, start.length, 0).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  return parseNpyHeader(path, start, size)
}

/** Neighbours in the file are read at once, so a batch in order is one read. */
async function readSamples(
  handle: FileHandle,
  { elementType, shape, dataOffset }: NpyHeader,
  indices: Uint32Array | readonly number[],
): Promise<Float32Array> {
  const sampleBytes = countElements(shape.slice(1)) * npyElementBytes(elementType)
  const bytes = new Uint8Array(indices.length * sampleBytes)
  for (let row = 0; row < indices.length; ) {
    const first = indices[row] as number
    let rows = 1
    while (indices[row + rows] === first + rows) rows++
    await handle.read(bytes, row * sampleBytes, rows * sampleBytes, dataOffset + first * sampleBytes)
    row += rows
  }
  return decodeNpyValues(elementType, bytes)
}

async function readLabels(path: string, size: number): Promise<Int32Array> {
  const { shape, data } = parseNpy(path, await readDataFile(path))
  if (shape.length !== 1 || data.length !== size) {
    throw new DatasetError(`${path} has shape [${shape.join(', ')}]; pass one label per sample, [${size}].`)
  }
  const row = data.findIndex((label) => !Number.isInteger(label))
  if (row === -1) return Int32Array.from(data)
  throw new DatasetError(`${path} labels sample ${row} with ${data[row]}; a label is a whole number.`)
}

function checkFinite(file: string, images: Float32Array, indices: Uint32Array | readonly number[]): void {
  const at = images.findIndex((value) => !Number.isFinite(value))
  if (at === -1) return
  const row = Math.floor(at / (images.length / indices.length))
  throw new NonFiniteValueError(file, indices[row] as number, images[at] as number)
}
