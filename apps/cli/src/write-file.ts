import { randomUUID } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SluiceError } from '@sluice/core'

/** A file could not be written; what stood in its place still does. */
export class FileWriteError extends SluiceError {
  constructor(path: string, problem: string, options?: { readonly cause?: unknown }) {
    super('file-write', `${path} was not written: ${problem}`, options)
  }
}

/**
 * Checks, before long work, that a file can be put in a place: its folder exists, and nothing is there but a file that
 * may be replaced.
 * @throws FileWriteError
 */
export async function checkTarget(path: string, { replace }: { readonly replace: boolean }): Promise<void> {
  const [existing, folder] = await Promise.all([statOrNull(path), statOrNull(dirname(path))])
  if (!folder?.isDirectory()) throw new FileWriteError(path, `${dirname(path)} is no folder. Create it first.`)
  if (existing === null) return
  if (!existing.isFile()) throw new FileWriteError(path, 'something else than a file stands there. Name another file.')
  if (!replace) throw new FileWriteError(path, 'it exists. Add --force to replace it, or name another file.')
}

/** Writes a file whole or not at all. @throws FileWriteError */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: { readonly replace: boolean },
): Promise<void> {
  await checkTarget(path, options)
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, content, { flush: true })
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    const problem = `${cause instanceof Error ? cause.message : cause}. Check the folder, its permissions and the free disk space.`
    throw new FileWriteError(path, problem, { cause })
  }
}

function statOrNull(path: string) {
  return stat(path).catch(() => null)
}
