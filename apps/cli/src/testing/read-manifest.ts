import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BundleManifest } from '@sluice/core'

/** `sluice.json` of a bundle's folder, unchecked. */
export async function readManifest(bundle: string): Promise<BundleManifest> {
  return JSON.parse(await readFile(join(bundle, 'sluice.json'), 'utf8'))
}
