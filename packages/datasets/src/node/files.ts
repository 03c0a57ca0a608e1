import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../errors.ts'

/** @throws DatasetError when the file is missing or cannot be read */
export async function readDataFile(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
}

/** Names in a folder, numbers inside names in their order. @throws DatasetError when it is missing or no folder */
async function listFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw unreadable(folder, cause)
  })
  return names.sort(new Intl.Collator('en', { numeric: true }).compare)
}

/**
 * Paths of the files of a folder whose names match, in order.
 * @param expected what the message says the folder should hold
 * @throws DatasetError when the folder is missing or no name matches
 */
export async function findFiles(folder: string, pattern: RegExp, expected: string): Promise<readonly string[]> {
  const names = (await listFolder(folder)).filter((name) => pattern.test(name))
  if (names.length > 0) return names.map((name) => join(folder, name))
  throw new DatasetError(`${folder} holds no ${expected}; pass the folder that holds it.`)
}

/** What went wrong with a file or folder, as an error to throw. */
export function unreadable(path: string, cause: unknown): DatasetError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'does not exist; check the path',
    ENOTDIR: 'is no folder; pass a folder',
    EISDIR: 'is a folder; pass a file',
    EACCES: 'may not be read; change its permissions',
  }
  return new DatasetError(`${path} ${reasons[code] ?? `cannot be read (${code})`}.`, { cause })
}
