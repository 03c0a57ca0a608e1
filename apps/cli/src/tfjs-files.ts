import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TfjsModelFiles } from '@sluice/adapter-tfjs'
import { SluiceError } from '@sluice/core'

/** A file of a TensorFlow.js model is missing or cannot be read. */
class TfjsFileError extends SluiceError {
  constructor(path: string, hint: string, cause: unknown) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    super('tfjs-file', `${path} cannot be read: ${problem}. ${hint}`, { cause })
  }
}

/** The files of a saved TensorFlow.js model. @param path of its `model.json` @throws TfjsFileError */
export async function readTfjsFiles(path: string): Promise<TfjsModelFiles> {
  const json = await readFile(path).catch((cause: unknown) => {
    throw new TfjsFileError(path, 'Check the path; a saved model is model.json with its weight files beside it.', cause)
  })
  return {
    json,
    read: (shard) =>
      readFile(join(dirname(path), shard)).catch((cause: unknown) => {
        throw new TfjsFileError(join(dirname(path), shard), `${path} names it; put it there.`, cause)
      }),
  }
}
