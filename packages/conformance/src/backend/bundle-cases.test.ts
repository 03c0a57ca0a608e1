import { type Backend, type BundleManifest, SluiceError } from '@sluice/core'
import { createReferenceBundle } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { findBackendFailures } from '../testing/find-failures.ts'
import { createExample } from './scenario.ts'

type SpoilLoad = (load: Backend['load']) => Backend['load']

const withManifest =
  (changes: Partial<BundleManifest>): SpoilLoad =>
  (load) =>
  ({ manifest, read }) =>
    load({ read, manifest: { ...manifest, ...changes } })

const altered = 'a bundle altered by a byte is refused with the error of its reader, whichever file it is in'
const cutOff = 'a file that was cut off is refused, whichever it is, also where no reader verified it'

it.each<[fault: string, failingCases: readonly string[], spoil: SpoilLoad]>([
  [
    'takes any format',
    ['a bundle of a format outside the capabilities is refused'],
    withManifest({ format: 'reference' }),
  ],
  ['takes any version', ['a bundle of another contract version is refused'], withManifest({ specVersion: 'v1' })],
  [
    'keeps the files of an earlier load',
    [altered, cutOff],
    (load) => {
      const kept = new Map<string, Promise<Uint8Array>>()
      return ({ manifest, read }) => {
        const key = (path: string) => `${path} ${JSON.stringify(manifest)}`
        return load({
          manifest,
          async read(path) {
            const bytes = kept.get(key(path)) ?? read(path)
            kept.set(key(path), bytes)
            return bytes
          },
        })
      }
    },
  ],
  [
    'runs another network where a file is broken',
    [altered, cutOff],
    (load) => async (bundle) => {
      try {
        return await load(bundle)
      } catch (error) {
        if (bundle.manifest.format !== 'reference') throw error
        return await load(await createReferenceBundle(createExample().network))
      }
    },
  ],
  [
    'puts an error of its own in the place of the reader',
    [altered],
    (load) => (bundle) =>
      load(bundle).catch((cause) => {
        throw new SluiceError('unreadable', 'The bundle cannot be read.', { cause })
      }),
  ],
  [
    'lets the error of its parser out',
    [cutOff],
    (load) => (bundle) =>
      load(bundle).catch(() => {
        throw new SyntaxError('Unexpected end of JSON input')
      }),
  ],
])('catches a backend that %s', async (_, failingCases, spoil) => {
  const failures = await findBackendFailures(({ load }) => ({ load: spoil(load) }))
  expect(failures).toEqual(expect.arrayContaining([...failingCases]))
})
