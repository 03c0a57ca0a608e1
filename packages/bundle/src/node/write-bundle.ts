import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { BundleManifest } from '@sluice/core'
import { BundleExistsError } from '../errors.ts'
import { computeSha256 } from '../hash.ts'
import { serialiseManifest } from '../manifest.ts'
import { manifestFile } from '../manifest-schema.ts'
import { hasErrorCode } from './system-error.ts'
import { convertWriteError } from './write-error.ts'

/** What is written, and where. */
export interface WriteBundleOptions {
  /** Where the bundle is to stand. Its parent folders are created. */
  readonly folder: string
  readonly manifest: Omit<BundleManifest, 'files'>
  /** Content of each file by its path inside the bundle. Read only. */
  readonly files: Readonly<Record<string, Uint8Array>>
  /** Whether a bundle or an empty folder that stands there is replaced; false when absent. */
  readonly replace?: boolean
  /** Looked at before each file; an abort leaves everything as it was. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes a bundle as a whole or not at all: into a hidden folder beside the target, flushed to disk, then renamed. What
 * is replaced is moved aside first and deleted last, so it survives any failure. Only bundles and empty folders are ever
 * replaced.
 * @returns the manifest with size and SHA-256 of every file
 * @throws InvalidManifestError before anything is written, BundleExistsError, BundleWriteError, the signal's reason
 */
export async function writeBundle(options: WriteBundleOptions): Promise<BundleManifest> {
  const { files, replace = false, signal } = options
  const folder = resolve(options.folder)
  const manifest = { ...options.manifest, files: await describeFiles(files) }
  const contents = { ...files, [manifestFile]: await serialiseManifest(manifest, folder) }
  const temporary = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.tmp`)
  const previous = `${temporary}.old`
  try {
    await checkBundleTarget(folder, replace)
    await writeFiles(temporary, contents, signal)
    await moveIntoPlace(temporary, folder, replace ? previous : null)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw convertWriteError(error, folder, countBytes(contents), signal)
  }
  await rm(previous, { recursive: true, force: true })
  return manifest
}

async function describeFiles(files: WriteBundleOptions['files']): Promise<BundleManifest['files']> {
  const entries = Object.entries(files).map(async ([path, content]) => {
    return [path, { sha256: await computeSha256(content), bytes: content.length }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/**
 * Checks that `writeBundle` may write to a folder, e.g. before hours of work. `replace` is as there.
 * @throws BundleExistsError
 */
export async function checkBundleTarget(folder: string, replace: boolean): Promise<void> {
  const entries = await listFolder(folder)
  if (entries === null) return
  if (!replace) {
    throw new BundleExistsError(
      folder,
      'exists already. Choose another folder, or ask for it to be replaced (--force).',
    )
  }
  if (entries.length > 0 && !entries.includes(manifestFile)) {
    throw new BundleExistsError(folder, 'holds other files than a bundle and is never replaced. Choose another folder.')
  }
}

async function listFolder(folder: string): Promise<string[] | null> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null
    if (hasErrorCode(error, 'ENOTDIR')) throw new BundleExistsError(folder, 'is a file. Choose another folder.')
    throw error
  }
}

async function writeFiles(folder: string, contents: Record<string, Uint8Array>, signal: AbortSignal | undefined) {
  await mkdir(folder, { recursive: true })
  for (const [path, content] of Object.entries(contents)) {
    signal?.throwIfAborted()
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content, { flush: true })
  }
}

/** Renames the new bundle to its place; what stands there goes to `previous` first, and back on a failure. */
async function moveIntoPlace(temporary: string, folder: string, previous: string | null): Promise<void> {
  const moved = previous !== null && (await listFolder(folder)) !== null
  if (moved) await rename(folder, previous)
  try {
    await rename(temporary, folder)
  } catch (error) {
    if (moved) await rename(previous, folder)
    throw error
  }
}

function countBytes(contents: Record<string, Uint8Array>): number {
  return Object.values(contents).reduce((total, content) => total + content.length, 0)
}
