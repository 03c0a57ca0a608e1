import { describeWhereItStarts } from './testing/describe-where-it-starts.ts'
import { createOnnxRuntimeBackend } from './web.ts'

const backend = createOnnxRuntimeBackend({ executionProviders: ['webgpu'] })

await describeWhereItStarts(backend, { rtol: 1e-4, atol: 1e-4, runs: 4 })
