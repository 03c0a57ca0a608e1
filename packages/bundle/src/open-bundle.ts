import { type Bundle, type BundleManifest, InvalidArgumentError } from '@sluice/core'
import { AlteredFileError, MissingFileError, NotABundleError, TruncatedFileError } from './errors.ts'
import { computeSha256 } from './hash.ts'
import { parseManifest } from './manifest.ts'
import { manifestFile } from './manifest-schema.ts'

/** Where a bundle's files come from: a folder, a server, memory. */
export interface BundleSource {
  /** Names the bundle in errors, e.g. its folder or address. */
  readonly location: string
  /** A file's bytes, owned by the caller; null when there is no such file. Any other failure throws. */
  read(path: string): Promise<Uint8Array | null>
}

/**
 * Opens a bundle: reads and checks its manifest. The other files are read and verified one by one, when asked for, so
 * a large bundle never stands in memory as a whole and nobody sees an unverified byte.
 * @throws NotABundleError, MalformedManifestError, UnsupportedBundleVersionError, InvalidManifestError, AlteredFileError,
 * HashingUnavailableError; from `read` MissingFileError, TruncatedFileError, AlteredFileError, and InvalidArgumentError
 * for a path that is not in the manifest
 */
export async function openBundle(source: BundleSource): Promise<Bundle> {
  const bytes = await source.read(manifestFile)
  if (bytes === null) throw new NotABundleError(source.location)
  const manifest = await parseManifest(bytes, source.location)
  return { manifest, read: (path) => readVerified(source, manifest, path) }
}

async function readVerified(source: BundleSource, { files }: BundleManifest, path: string): Promise<Uint8Array> {
  const { location } = source
  const expected = Object.hasOwn(files, path) ? files[path] : undefined
  if (expected === undefined) {
    throw new InvalidArgumentError(
      `Bundle '${location}' lists no file '${path}'; it has ${Object.keys(files).join(', ')}.`,
    )
  }
  const bytes = await source.read(path)
  if (bytes === null) throw new MissingFileError(location, path)
  if (bytes.length < expected.bytes) throw new TruncatedFileError(location, path, bytes.length, expected.bytes)
  if ((await computeSha256(bytes)) !== expected.sha256) throw new AlteredFileError(location, path)
  return bytes
}
