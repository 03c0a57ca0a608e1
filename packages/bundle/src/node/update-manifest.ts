import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BundleManifest } from '@sluice/core'
import { serialiseManifest } from '../manifest.ts'
import { manifestFile } from '../manifest-schema.ts'
import { openBundleFolder } from './open-bundle-folder.ts'
import { convertWriteError } from './write-error.ts'

/**
 * Replaces the manifest of the bundle in `folder` in one step, e.g. to write thresholds; the other files stay untouched.
 * @returns the new manifest
 * @throws what openBundleFolder throws; InvalidManifestError for what `update` gives, before anything is written;
 * BundleWriteError, after which the old manifest still stands
 */
export async function updateManifest(
  folder: string,
  update: (manifest: BundleManifest) => BundleManifest,
): Promise<BundleManifest> {
  const { manifest } = await openBundleFolder(folder)
  const updated = update(manifest)
  const bytes = await serialiseManifest(updated, folder)
  const temporary = join(folder, `.${manifestFile}.${randomUUID()}.tmp`)
  try {
    await writeFile(temporary, bytes, { flush: true })
    await rename(temporary, join(folder, manifestFile))
  } catch (error) {
    await rm(temporary, { force: true })
    throw convertWriteError(error, folder, bytes.length)
  }
  return updated
}
