import { describeBackend } from '@sluice/conformance'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { createTfjsBackend } from './backend.ts'
import { createReferenceTfjsBundle } from './testing/reference-bundle.ts'

const hasStarted = await tf.setBackend('webgl')

// Tests run on Chromium's software GPU, which agrees with the reference to 1e-6; the tanh of other GPUs may be further off.
describeBackend(createTfjsBackend({ tf }), (network, format) => createReferenceTfjsBundle(tf, network, format), {
  rtol: 1e-5,
  atol: 1e-5,
  runs: 4,
})

test('it is webgl that ran', () => {
  expect([hasStarted, tf.getBackend()]).toEqual([true, 'webgl'])
})
