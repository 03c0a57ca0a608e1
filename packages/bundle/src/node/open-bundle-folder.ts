import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bundle } from '@sluice/core'
import { BundleNotFoundError, BundleReadError, NotABundleError } from '../errors.ts'
import { type BundleSource, openBundle } from '../open-bundle.ts'
import { describeSystemError, hasErrorCode } from './system-error.ts'

/** Opens the bundle in a folder; see `openBundle`. @throws also BundleNotFoundError, BundleReadError */
export async function openBundleFolder(folder: string): Promise<Bundle> {
  return openBundle(await createFolderSource(folder))
}

/** Reads a bundle's files from a folder. @throws BundleNotFoundError, NotABundleError when it is no folder */
async function createFolderSource(folder: string): Promise<BundleSource> {
  const stats = await stat(folder).catch((error) => {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw new BundleNotFoundError(folder)
    throw new BundleReadError(folder, '.', describeSystemError(error), error)
  })
  if (!stats.isDirectory()) throw new NotABundleError(folder)
  return {
    location: folder,
    async read(path) {
      try {
        return await readFile(join(folder, path))
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null
        throw new BundleReadError(folder, path, describeSystemError(error), error)
      }
    },
  }
}
