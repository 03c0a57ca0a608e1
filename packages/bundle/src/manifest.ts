import type { BundleManifest } from '@sluice/core'
import type { z } from 'zod'
import { findInconsistencies } from './consistency.ts'
import { InvalidManifestError, MalformedManifestError, UnsupportedBundleVersionError } from './errors.ts'
import { bundleManifestSchema, manifestFile } from './manifest-schema.ts'

/**
 * Reads the bytes of a `sluice.json`. `location` names the bundle in errors.
 * @throws MalformedManifestError, UnsupportedBundleVersionError, InvalidManifestError
 */
export function parseManifest(bytes: Uint8Array, location: string): BundleManifest {
  return validateManifest(parseJson(bytes, location), location)
}

/** The bytes of a `sluice.json`, checked before. @throws UnsupportedBundleVersionError, InvalidManifestError */
export function serialiseManifest(manifest: BundleManifest, location: string): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(validateManifest(manifest, location), null, 2)}\n`)
}

function parseJson(bytes: Uint8Array, location: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new MalformedManifestError(location, error)
  }
}

function validateManifest(value: unknown, location: string): BundleManifest {
  const version = getSpecVersion(value)
  if (version !== undefined && version !== 'v1') throw new UnsupportedBundleVersionError(location, version)
  const { success, data, error } = bundleManifestSchema.safeParse(value)
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
