import type { BundleManifest } from '@sluice/core'
import type { z } from 'zod'
import { findInconsistencies } from './consistency.ts'
import {
  AlteredFileError,
  InvalidManifestError,
  MalformedManifestError,
  UnsupportedBundleVersionError,
} from './errors.ts'
import { computeSha256 } from './hash.ts'
import { bundleManifestSchema, manifestFile, manifestFileSchema } from './manifest-schema.ts'

/**
 * Reads the bytes of a `sluice.json` and verifies that they are, to the last, what `serialiseManifest` wrote. `location`
 * names the bundle in errors.
 * @throws MalformedManifestError, UnsupportedBundleVersionError, AlteredFileError, InvalidManifestError,
 * HashingUnavailableError
 */
export async function parseManifest(bytes: Uint8Array, location: string): Promise<BundleManifest> {
  const { text, value } = parseJson(bytes, location)
  checkVersion(value, location)
  if (isSealed(value) && text !== (await seal(value))) {
    throw new AlteredFileError(location, manifestFile, "Restore it; thresholds are changed with 'sluice calibrate'.")
  }
  const { checksum, ...manifest } = validate(manifestFileSchema, value, location)
  return manifest
}

/**
 * The bytes of a `sluice.json` with its checksum; the manifest is checked before.
 * @throws UnsupportedBundleVersionError, InvalidManifestError, HashingUnavailableError
 */
export async function serialiseManifest(manifest: BundleManifest, location: string): Promise<Uint8Array> {
  checkVersion(manifest, location)
  return encode(await seal(validate(bundleManifestSchema, manifest, location)))
}

function parseJson(bytes: Uint8Array, location: string): { readonly text: string; readonly value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { text, value: JSON.parse(text) }
  } catch (error) {
    throw new MalformedManifestError(location, error)
  }
}

function isSealed(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'checksum' in value
}

/** The text of a `sluice.json`; its checksum is the SHA-256 of the same text without that field. */
async function seal(manifest: object): Promise<string> {
  const checksum = await computeSha256(encode(format({ ...manifest, checksum: undefined })))
  return format({ ...manifest, checksum })
}

function format(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function checkVersion(value: unknown, location: string): void {
  const version = getSpecVersion(value)
  if (version !== undefined && version !== 'v1') throw new UnsupportedBundleVersionError(location, version)
}

function validate<T extends BundleManifest>(schema: z.ZodType<T>, value: unknown, location: string): T {
  const { success, data, error } = schema.safeParse(value)
  if (!success) throw new InvalidManifestError(location, error.issues.map(describeIssue))
  const inconsistencies = findInconsistencies(data)
  if (inconsistencies.length > 0) throw new InvalidManifestError(location, inconsistencies)
  return data
}

function getSpecVersion(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'specVersion' in value ? value.specVersion : undefined
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const [nested] = issue.code === 'invalid_key' ? issue.issues : []
  return `${formatPath(issue.path)}: ${nested?.message ?? issue.message}`
}

function formatPath(path: readonly PropertyKey[]): string {
  const formatted = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`
    return /^[A-Za-z_]\w*$/.test(String(key)) ? `.${String(key)}` : `[${JSON.stringify(String(key))}]`
  })
  return formatted.join('').replace(/^\./, '') || manifestFile
}
