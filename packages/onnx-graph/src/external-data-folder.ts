import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isAbsolute, join, normalize, sep } from 'node:path'
import { ExternalDataError } from './errors.ts'
import type { ExternalDataReader } from './onnx-model.ts'

/** Node refuses to read more in one call. */
const maxReadBytes = 2 ** 30

/**
 * Reads weights that models keep beside them, range by range, when they are asked for. Files may have any size.
 * Locations that lead out of the folder are refused: a model from elsewhere must not read other files.
 *
 * The reader throws an ExternalDataError when a file is missing, too short, or outside the folder.
 */
export function createFolderReader(folder: string): ExternalDataReader {
  return (location, offset, length) => {
    const path = resolveLocation(folder, location)
    const file = open(path, location)
    try {
      return readRange(file, location, offset, length)
    } finally {
      closeSync(file)
    }
  }
}

function resolveLocation(folder: string, location: string): string {
  const normalized = normalize(location)
  const isOutside = isAbsolute(normalized) || normalized === '..' || normalized.startsWith(`..${sep}`)
  if (location === '' || location.includes('\0') || isOutside) {
    throw new ExternalDataError(location, "lies outside the model's folder and is not read. Put it beside the model.")
  }
  return join(folder, normalized)
}

function open(path: string, location: string): number {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    throw new ExternalDataError(location, `cannot be opened at ${path}. Put it beside the model.`, { cause })
  }
}

function readRange(file: number, location: string, offset: number, length: number | undefined): Uint8Array {
  const stats = fstatSync(file)
  if (!stats.isFile()) throw new ExternalDataError(location, 'is no file. Put the weights beside the model.')
  const { size } = stats
  const end = offset + (length ?? size - offset)
  if (![offset, end].every(Number.isSafeInteger) || offset < 0 || end < offset || end > size) {
    throw new ExternalDataError(
      location,
      `has ${size} bytes; the model asks for ${length ?? 'those'} from ${offset} on. Copy the whole file again.`,
    )
  }
  const bytes = new Uint8Array(end - offset)
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(file, bytes, done, Math.min(bytes.length - done, maxReadBytes), offset + done)
    if (count === 0) throw new ExternalDataError(location, 'shrank while it was read. Copy the whole file again.')
    done += count
  }
  return bytes
}
