import { describeBackend } from '@sluice/conformance'
import { createOnnxRuntimeBackend } from './node.ts'
import { createReferenceOnnxBundle } from './testing/reference-bundle.ts'

const backend = createOnnxRuntimeBackend({ threads: 1 })

describeBackend(backend.name, async (network) => ({ backend, bundle: createReferenceOnnxBundle(network) }), {
  rtol: 1e-5,
  atol: 1e-5,
})
