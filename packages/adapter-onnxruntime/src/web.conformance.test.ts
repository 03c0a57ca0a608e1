import { describeBackend } from '@sluice/conformance'
import { createReferenceOnnxBundle } from './testing/reference-bundle.ts'
import { createOnnxRuntimeBackend } from './web.ts'

describeBackend(createOnnxRuntimeBackend({ threads: 1 }), createReferenceOnnxBundle, { rtol: 1e-5, atol: 1e-5 })
