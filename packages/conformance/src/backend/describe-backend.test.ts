import type { Backend, BundleFormat } from '@sluice/core'
import { createReferenceBackend, createReferenceBundle } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { findModelFailures } from '../testing/find-failures.ts'
import { describeBackend } from './describe-backend.ts'

const reference = createReferenceBackend()

describeBackend(reference, createReferenceBundle, { rtol: 0, atol: 0, runs: 50 })

const formats: readonly BundleFormat[] = ['tfjs-layers', 'tfjs-graph']
const written = new Set<BundleFormat>()
const polyglot: Backend = {
  ...reference,
  name: 'a backend of two formats',
  capabilities: { formats, device: 'cpu' },
  load({ manifest, read }) {
    const format = formats.includes(manifest.format) ? 'reference' : 'onnx'
    return reference.load({ read, manifest: { ...manifest, format } })
  },
}

describeBackend(
  polyglot,
  async (network, format) => {
    written.add(format)
    const { manifest, read } = await createReferenceBundle(network)
    return { read, manifest: { ...manifest, format } }
  },
  { rtol: 0, atol: 0, runs: 1 },
)

it('runs on bundles of every format that the backend declares', () => {
  expect([...written]).toEqual(formats)
})

it('finds no fault in a sound backend', async () => {
  expect(await findModelFailures(() => ({}))).toEqual([])
})

it('does not blame a sound part for a broken one', async () => {
  const failures = await findModelFailures((model) => ({
    selectRows: (activation, rows) => model.selectRows(activation, rows.toSorted()),
  }))
  expect(failures).toEqual(['selectRows gathers rows in the given order and leaves its argument alive'])
})
