import { describeBackend } from '@sluice/conformance'
import { createReferenceOnnxBundle } from './testing/reference-bundle.ts'
import { createOnnxRuntimeBackend } from './web.ts'

const backend = createOnnxRuntimeBackend({ threads: 1 })

describeBackend(backend.name, async (network) => ({ backend, bundle: createReferenceOnnxBundle(network) }), {
  rtol: 1e-5,
  atol: 1e-5,
})
