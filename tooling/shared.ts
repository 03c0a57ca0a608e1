import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const repositoryRoot = fileURLToPath(new URL('..', import.meta.url))

/** Where the data and models beside the repository are looked for: `SLUICE_SHARED`, else `../shared`; absolute. */
export const expectedSharedFolder = resolve(repositoryRoot, process.env.SLUICE_SHARED || '../shared')

/** Absolute path of the folder with the data and models beside the repository, or null where it is absent. */
export function sharedFolder(): string | null {
  return existsSync(expectedSharedFolder) ? expectedSharedFolder : null
}
