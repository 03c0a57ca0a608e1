import { describeBackend } from '@sluice/conformance'
import { createTfjsBackend } from './backend.ts'
import { openNodeTfjs } from './node.ts'
import { createReferenceTfjsBundle } from './testing/reference-bundle.ts'

const tf = await openNodeTfjs('wasm')

describeBackend(createTfjsBackend({ tf }), (network, format) => createReferenceTfjsBundle(tf, network, format), {
  rtol: 1e-5,
  atol: 1e-5,
})
