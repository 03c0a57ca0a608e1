import { constants } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SluiceError } from '@sluice/core'
import { InvalidOnnxFileError } from './errors.ts'
import { createFolderReader } from './external-data-folder.ts'
import { type OnnxModel, readOnnxModel, writeOnnxModel } from './onnx-model.ts'

/** Node refuses to read 2 GiB or more in one call. */
const defaultChunkBytes = 2 ** 28

/** How a file is read. */
export interface ReadOnnxFileOptions {
  /** Most bytes of one read; 256 MiB unless given. */
  readonly chunkBytes?: number
}

/**
 * Reads a model as large as one array can be (4 GiB in Node 20). Weights in other files are looked for in the model's
 * folder, and read when they are needed.
 * @throws InvalidOnnxFileError when the file is missing, cannot be read, or is not a whole ONNX model
 */
export async function readOnnxFile(path: string, options: ReadOnnxFileOptions = {}): Promise<OnnxModel> {
  const bytes = await readWholeFile(path, options.chunkBytes ?? defaultChunkBytes)
  return readOnnxModel(bytes, { source: path, externalData: createFolderReader(dirname(path)) })
}

/**
 * Writes a model, replacing the file at once when all is written. Weights in other files stay there, by the same relative
 * location.
 * @throws the file system's error
 */
export async function writeOnnxFile(path: string, model: OnnxModel): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`
  try {
    await writeFile(temporary, writeOnnxModel(model))
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function readWholeFile(path: string, chunkBytes: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      return await readAll(file, path, chunkBytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (SluiceError.isInstance(error) || !(error instanceof Error)) throw error
    throw new InvalidOnnxFileError(path, `${error.message}. Check the path.`, { cause: error })
  }
}

async function readAll(file: FileHandle, path: string, chunkBytes: number): Promise<Uint8Array> {
  const { size } = await file.stat()
  if (size > constants.MAX_LENGTH) {
    throw new InvalidOnnxFileError(path, `its ${size} bytes do not fit into one array. Export it with external data.`)
  }
  const bytes = new Uint8Array(size)
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(chunkBytes, size - done), done)
    if (bytesRead === 0) throw new InvalidOnnxFileError(path, 'it shrank while it was read. Copy the whole file again.')
    done += bytesRead
  }
  return bytes
}
