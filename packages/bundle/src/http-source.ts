import { BundleReadError } from './errors.ts'
import type { BundleSource } from './open-bundle.ts'

/** How the web server is reached. */
export interface HttpSourceOptions {
  /** Replaces the global `fetch`, e.g. to add credentials. */
  readonly fetch?: typeof globalThis.fetch
}

/**
 * Reads a bundle from a web server: each file from `baseUrl` + `/` + its path. In a browser `baseUrl` may be relative to
 * the page.
 */
export function createHttpSource(baseUrl: string, { fetch = globalThis.fetch }: HttpSourceOptions = {}): BundleSource {
  const folder = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`
  return {
    location: baseUrl,
    async read(path) {
      try {
        const response = await fetch(`${folder}${path}`)
        if (response.status === 404) return null
        if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`.trimEnd())
        return new Uint8Array(await response.arrayBuffer())
      } catch (error) {
        throw new BundleReadError(baseUrl, path, error instanceof Error ? error.message : String(error), error)
      }
    },
  }
}
