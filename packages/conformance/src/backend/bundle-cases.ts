import { type BundleFormat, SluiceError, UnsupportedBundleError, UnsupportedVersionError } from '@sluice/core'
import { expect } from 'vitest'
import type { BackendCase, BackendContext } from './backend-context.ts'
import { createExample } from './scenario.ts'

const formats: readonly BundleFormat[] = ['onnx', 'tfjs-layers', 'tfjs-graph', 'reference']

/** What a backend does with bundles that it cannot or must not run. */
export const bundleCases: readonly BackendCase[] = [
  {
    name: 'a bundle of a format outside the capabilities is refused',
    async run({ backend, createBundle }) {
      const bundle = await createBundle(createExample().network)
      const format = formats.find((name) => !backend.capabilities.formats.includes(name)) ?? expect.unreachable()
      const foreign = { ...bundle, manifest: { ...bundle.manifest, format } }
      await expect(backend.load(foreign)).rejects.toBeInstanceOf(UnsupportedBundleError)
    },
  },
  {
    name: 'a bundle of another contract version is refused',
    async run({ backend, createBundle }) {
      const bundle = await createBundle(createExample().network)
      const manifest = { ...bundle.manifest, specVersion: 'v2' as 'v1' }
      await expect(backend.load({ ...bundle, manifest })).rejects.toBeInstanceOf(UnsupportedVersionError)
    },
  },
  {
    name: 'a bundle altered by a byte is refused with the error of its reader, whichever file it is in',
    run: (context) =>
      loadSpoilt(context, AlteredByteError, (path) => {
        throw new AlteredByteError(path)
      }),
  },
  {
    name: 'a file that was cut off is refused, whichever it is, also where no reader verified it',
    run: (context) => loadSpoilt(context, SluiceError, (_, bytes) => bytes.slice(0, bytes.length >> 1)),
  },
]

/** An opened bundle verifies what it reads, so an altered byte is an error of `read`; this one no adapter throws. */
class AlteredByteError extends SluiceError {
  constructor(path: string) {
    super('altered-byte', `'${path}' does not match its SHA-256, as the test wants it.`)
  }
}

/**
 * Loads a bundle as often as it has files, each time with another one spoilt, and expects to be refused; the sound
 * bundle loads before and after. What a backend reads past the bundle's `read` is verified by nobody, so each file
 * must be among those asked for.
 */
async function loadSpoilt(
  { backend, createBundle }: BackendContext,
  error: typeof SluiceError | typeof AlteredByteError,
  spoil: (path: string, bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  const bundle = await createBundle(createExample().network)
  const { stages, files } = bundle.manifest
  for (const spoilt of new Set([...stages.map(({ file }) => file), ...Object.keys(files)])) {
    const read = async (path: string) =>
      path === spoilt ? spoil(path, await bundle.read(path)) : await bundle.read(path)
    await expect(backend.load({ ...bundle, read }), spoilt).rejects.toBeInstanceOf(error)
  }
  await (await backend.load(bundle)).dispose()
}
