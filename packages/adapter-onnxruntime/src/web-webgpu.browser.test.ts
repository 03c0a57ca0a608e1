import { describeWhereItStarts } from './testing/describe-where-it-starts.ts'
import { createOnnxRuntimeBackend } from './web.ts'

const backend = createOnnxRuntimeBackend({ executionProviders: ['webgpu'] })

// Tests run on Chromium's software GPU, which agrees with the reference to 1e-6; the tanh of other GPUs may be further off.
await describeWhereItStarts(backend, { rtol: 1e-5, atol: 1e-5, runs: 4 })
