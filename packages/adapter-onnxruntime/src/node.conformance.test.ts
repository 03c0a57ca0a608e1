import { describeBackend } from '@sluice/conformance'
import { createOnnxRuntimeBackend } from './node.ts'
import { createReferenceOnnxBundle } from './testing/reference-bundle.ts'

describeBackend(createOnnxRuntimeBackend({ threads: 1 }), createReferenceOnnxBundle, { rtol: 1e-5, atol: 1e-5 })
