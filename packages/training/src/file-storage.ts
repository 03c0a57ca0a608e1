import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FeatureStorageError } from './errors.ts'
import {
  checkRange,
  countBlockRows,
  countRows,
  type FeatureStorage,
  type FeatureStorageOptions,
  type FeatureStore,
} from './feature-store.ts'

/** Options of {@link createFileStorage}. */
export interface FileStorageOptions extends FeatureStorageOptions {
  /** Folder of the temporary files; the system's folder for such when absent. */
  readonly folder?: string
}

/**
 * Keeps features in temporary files; a read holds one block in memory. The files disappear with the store, or with the
 * process however it ends. All methods of its stores throw FeatureStorageError when the disk fails.
 */
export function createFileStorage(options: FileStorageOptions = {}): FeatureStorage {
  const { folder = tmpdir() } = options
  return {
    async createStore(width) {
      const file = await openNamelessFile(folder).catch((cause) => {
        throw new FeatureStorageError(folder, cause)
      })
      return createFileStore(file, folder, width, countBlockRows(width, options))
    },
  }
}

/** A file without a name vanishes when it is closed, also when the process is killed. */
async function openNamelessFile(folder: string): Promise<FileHandle> {
  const path = join(folder, `sluice-features-${randomUUID()}`)
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  return file
}

function createFileStore(file: FileHandle, folder: string, width: number, blockRows: number): FeatureStore {
  const rowBytes = width * Float32Array.BYTES_PER_ELEMENT
  let rows = 0
  let buffer = new Float32Array(0)
  let open = true
  const guard = async (work: Promise<void>) => {
    await work.catch((cause) => {
      throw new FeatureStorageError(folder, cause)
    })
  }
  const store: FeatureStore = {
    width,
    blockRows,
    get rows() {
      return rows
    },
    async append(data) {
      const added = countRows(data, width)
      await guard(writeFully(file, asBytes(data), rows * rowBytes))
      rows += added
    },
    async read(start, count) {
      checkRange(store, start, count)
      if (buffer.length < count * width) buffer = new Float32Array(count * width)
      const data = buffer.subarray(0, count * width)
      await guard(readFully(file, asBytes(data), start * rowBytes))
      return data
    },
    async dispose() {
      if (!open) return
      open = false
      rows = 0
      buffer = new Float32Array(0)
      await guard(file.close())
    },
  }
  return store
}

function asBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** One call of the system moves at most 2 GB, and may move less than asked for. */
const pieceBytes = 2 ** 30

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(pieceBytes, bytes.length - done)
    done += (await file.write(bytes, done, length, position + done)).bytesWritten
  }
}

async function readFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(pieceBytes, bytes.length - done)
    const { bytesRead } = await file.read(bytes, done, length, position + done)
    if (bytesRead === 0) throw new Error(`the file ends ${bytes.length - done} bytes too early`)
    done += bytesRead
  }
}
