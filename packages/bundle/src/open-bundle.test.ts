import { type Bundle, createGatedModel, InvalidArgumentError } from '@sluice/core'
import {
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
  createScriptedPolicy,
} from '@sluice/core/reference'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  AlteredFileError,
  BundleReadError,
  HashingUnavailableError,
  MissingFileError,
  NotABundleError,
  TruncatedFileError,
} from './errors.ts'
import { createHttpSource } from './http-source.ts'
import { serialiseManifest } from './manifest.ts'
import { manifestFile } from './manifest-schema.ts'
import { type BundleSource, openBundle } from './open-bundle.ts'

const network = createRandomReferenceNetwork({ seed: 2, inputShape: [4], cutWidths: [3], classCount: 2 })

/** The files of a small bundle, the manifest among them. */
async function createFiles(): Promise<Map<string, Uint8Array>> {
  const { manifest, read } = await createReferenceBundle(network)
  const files = new Map([[manifestFile, await serialiseManifest(manifest, 'test')]])
  for (const path of Object.keys(manifest.files)) files.set(path, await read(path))
  return files
}

function createMemorySource(files: ReadonlyMap<string, Uint8Array>): BundleSource {
  return { location: 'memory', read: async (path) => files.get(path)?.slice() ?? null }
}

/** A bundle whose file `stage-1.json` was changed. */
async function openChanged(change: (bytes: Uint8Array) => Uint8Array | undefined): Promise<Bundle> {
  const files = await createFiles()
  const changed = change(files.get('stage-1.json') ?? expect.unreachable())
  if (changed === undefined) files.delete('stage-1.json')
  else files.set('stage-1.json', changed)
  return openBundle(createMemorySource(files))
}

describe('openBundle', () => {
  it('opens a bundle that a backend runs', async () => {
    const batch = createRandomBatch(3, 2, [4])
    const policy = createScriptedPolicy([0, 1])
    const bundles = [await openBundle(createMemorySource(await createFiles())), await createReferenceBundle(network)]
    const [opened, original] = await Promise.all(
      bundles.map(async (bundle) => {
        const model = await createReferenceBackend().load(bundle)
        return createGatedModel({ model, policy }).predict(batch)
      }),
    )
    expect(opened).toEqual(original)
  })

  it('reads no file but the manifest until it is asked to', async () => {
    const source = createMemorySource(await createFiles())
    const read = vi.spyOn(source, 'read')
    const bundle = await openBundle(source)
    expect(read.mock.calls).toEqual([[manifestFile]])
    await bundle.read('stage-1.json')
    expect(read.mock.calls).toEqual([[manifestFile], ['stage-1.json']])
  })

  it('refuses a place without a manifest', async () => {
    await expect(openBundle(createMemorySource(new Map()))).rejects.toBeInstanceOf(NotABundleError)
  })

  it('catches every altered byte and names the file', async () => {
    const property = fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, difference) => {
      const bundle = await openChanged((bytes) => {
        const position = place % bytes.length
        return bytes.with(position, (bytes[position] ?? 0) ^ difference)
      })
      await expect(bundle.read('stage-1.json')).rejects.toBeInstanceOf(AlteredFileError)
    })
    await fc.assert(property, { seed: 20181103 })
    const bundle = await openChanged((bytes) => bytes.with(0, 0))
    await expect(bundle.read('stage-1.json')).rejects.toThrow("File 'stage-1.json' of bundle 'memory' was altered")
    await expect(bundle.read('stage-0.json')).resolves.toBeInstanceOf(Uint8Array)
    await expect(createReferenceBackend().load(bundle)).rejects.toBeInstanceOf(AlteredFileError)
  })

  it('tells a file that was cut off, one that grew and one that is missing', async () => {
    const truncated = await openChanged((bytes) => bytes.subarray(0, -1))
    await expect(truncated.read('stage-1.json')).rejects.toBeInstanceOf(TruncatedFileError)
    const grown = await openChanged((bytes) => Uint8Array.of(...bytes, 32))
    await expect(grown.read('stage-1.json')).rejects.toBeInstanceOf(AlteredFileError)
    const missing = await openChanged(() => undefined)
    await expect(missing.read('stage-1.json')).rejects.toBeInstanceOf(MissingFileError)
  })

  it.each(['stage-9.json', '../secret', 'constructor', manifestFile])(
    'reads no file %j that the manifest does not list',
    async (path) => {
      const bundle = await openBundle(createMemorySource(await createFiles()))
      await expect(bundle.read(path)).rejects.toBeInstanceOf(InvalidArgumentError)
    },
  )
})

describe('computing hashes', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('says what to do on a page without crypto.subtle', async () => {
    const bundle = await openBundle(createMemorySource(await createFiles()))
    vi.stubGlobal('crypto', {})
    await expect(bundle.read('stage-0.json')).rejects.toBeInstanceOf(HashingUnavailableError)
  })
})

describe('createHttpSource', () => {
  const createFetch = (files: ReadonlyMap<string, Uint8Array>) =>
    vi.fn<typeof fetch>(async (url) => {
      const body = files.get(String(url).replace('https://models.test/net/', ''))
      return body === undefined ? new Response(null, { status: 404 }) : new Response(body.slice())
    })

  it.each(['https://models.test/net', 'https://models.test/net/'])('reads a bundle from %s', async (baseUrl) => {
    const files = await createFiles()
    const bundle = await openBundle(createHttpSource(baseUrl, { fetch: createFetch(files) }))
    expect(await bundle.read('stage-1.json')).toEqual(files.get('stage-1.json'))
  })

  it('tells a missing bundle from a failing server and a failing connection', async () => {
    const open = (fetch: typeof globalThis.fetch) => openBundle(createHttpSource('https://models.test/net', { fetch }))
    await expect(open(createFetch(new Map()))).rejects.toBeInstanceOf(NotABundleError)
    const failing = open(async () => new Response(null, { status: 503, statusText: 'Service Unavailable' }))
    await expect(failing).rejects.toBeInstanceOf(BundleReadError)
    await expect(failing).rejects.toThrow('the server answered 503 Service Unavailable')
    const offline = open(async () => Promise.reject(new TypeError('fetch failed')))
    await expect(offline).rejects.toThrow("Cannot read 'sluice.json' of bundle 'https://models.test/net': fetch failed")
  })
})
