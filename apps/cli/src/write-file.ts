import { randomUUID } from 'node:crypto'
import { access, rename, rm, writeFile } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'

/** A file could not be written. */
export class FileWriteError extends SluiceError {
  constructor(path: string, problem: string, options?: { readonly cause?: unknown }) {
    super('file-write', `${path} was not written: ${problem}`, options)
  }
}

/** Fails at once when a file that a long run is to write exists already. @throws FileWriteError */
export async function checkIsFree(path: string, { replace }: { readonly replace: boolean }): Promise<void> {
  if (replace) return
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (exists) throw new FileWriteError(path, 'it exists. Add --force to replace it, or name another file.')
}

/** Writes a file whole or not at all. @throws FileWriteError */
export async function writeFileAtomically(path: string, text: string, options: { readonly replace: boolean }) {
  await checkIsFree(path, options)
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, text)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    const problem = `${cause instanceof Error ? cause.message : cause}. Check the folder, its permissions and the free disk space.`
    throw new FileWriteError(path, problem, { cause })
  }
}
