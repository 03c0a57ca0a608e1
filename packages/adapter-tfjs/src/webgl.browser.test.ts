import { describeBackend } from '@sluice/conformance'
import * as tf from '@tensorflow/tfjs'
import { createTfjsBackend } from './backend.ts'
import { createReferenceTfjsBundle } from './testing/reference-bundle.ts'

await tf.setBackend('webgl')

describeBackend(createTfjsBackend({ tf }), (network, format) => createReferenceTfjsBundle(tf, network, format), {
  rtol: 1e-4,
  atol: 1e-4,
  runs: 4,
})
