import { SluiceError } from '@sluice/core'

/** The folder of a bundle does not exist. */
export class BundleNotFoundError extends SluiceError {
  constructor(folder: string) {
    super(
      'bundle-not-found',
      `There is no folder '${folder}'. Check the path, or create a bundle with 'sluice attach'.`,
    )
  }
}

/** The place exists but holds no `sluice.json`. */
export class NotABundleError extends SluiceError {
  constructor(location: string) {
    super(
      'not-a-bundle',
      `'${location}' is not a bundle: it holds no sluice.json. Pass the folder that 'sluice attach' wrote.`,
    )
  }
}

/** `sluice.json` is not JSON, e.g. because it was cut off. */
export class MalformedManifestError extends SluiceError {
  constructor(location: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      'malformed-manifest',
      `sluice.json of '${location}' is not valid JSON (${reason}). Copy the bundle again from where it was made.`,
      { cause },
    )
  }
}

/** `sluice.json` is JSON but does not describe a bundle; `problems` holds one line per field, its path first. */
export class InvalidManifestError extends SluiceError {
  readonly problems: readonly string[]

  constructor(location: string, problems: readonly string[]) {
    const more = problems.length > 5 ? `; and ${problems.length - 5} more` : ''
    super(
      'invalid-manifest',
      `The manifest of '${location}' is invalid: ${problems.slice(0, 5).join('; ')}${more}. Correct these fields, or create the bundle anew.`,
    )
    this.problems = problems
  }
}

/** The bundle was written for a manifest version that this release does not know. */
export class UnsupportedBundleVersionError extends SluiceError {
  constructor(location: string, version: unknown) {
    super(
      'unsupported-bundle-version',
      `'${location}' has specVersion ${JSON.stringify(version)}; this release reads 'v1'. Update Sluice, or create the bundle anew with this release.`,
    )
  }
}

/** A file that the manifest lists is not there. */
export class MissingFileError extends SluiceError {
  constructor(location: string, path: string) {
    super('missing-file', `File '${path}' of bundle '${location}' is missing. Copy the whole bundle again.`)
  }
}

/** A file is shorter than the manifest says. */
export class TruncatedFileError extends SluiceError {
  constructor(location: string, path: string, actualBytes: number, expectedBytes: number) {
    super(
      'truncated-file',
      `File '${path}' of bundle '${location}' has ${actualBytes} bytes instead of ${expectedBytes}: it was cut off. Copy the bundle again.`,
    )
  }
}

/** A file's content differs from what its SHA-256 in the manifest says, or the manifest from its own checksum. */
export class AlteredFileError extends SluiceError {
  constructor(location: string, path: string, remedy = 'Copy the bundle again, or create it anew.') {
    super(
      'altered-file',
      `File '${path}' of bundle '${location}' was altered: it no longer matches its SHA-256. ${remedy}`,
    )
  }
}

/** A file is there but cannot be read: no permission, a failing disk or server. */
export class BundleReadError extends SluiceError {
  constructor(location: string, path: string, reason: string, cause?: unknown) {
    super(
      'bundle-read',
      `Cannot read '${path}' of bundle '${location}': ${reason}. Check permissions and the connection, then try again.`,
      { cause },
    )
  }
}

/** Something stands where a bundle is to be written. */
export class BundleExistsError extends SluiceError {
  constructor(folder: string, reason: string) {
    super('bundle-exists', `'${folder}' ${reason}`)
  }
}

/** A bundle could not be written; nothing of it was left behind, and what stood there before still does. */
export class BundleWriteError extends SluiceError {
  constructor(folder: string, reason: string, cause: unknown) {
    super('bundle-write', `Cannot write bundle '${folder}': ${reason}`, { cause })
  }
}

/** The runtime offers no SHA-256: browsers have it on secure pages only. */
export class HashingUnavailableError extends SluiceError {
  constructor() {
    super(
      'hashing-unavailable',
      'Files cannot be verified: this page has no crypto.subtle. Serve it over https or from localhost.',
    )
  }
}
