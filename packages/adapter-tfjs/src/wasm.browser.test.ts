import { describeBackend } from '@sluice/conformance'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { expect, test } from 'vitest'
import { createTfjsBackend } from './backend.ts'
import { createReferenceTfjsBundle } from './testing/reference-bundle.ts'

// The tests' server serves the repository's root.
setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/')
const hasStarted = await tf.setBackend('wasm')

describeBackend(createTfjsBackend({ tf }), (network, format) => createReferenceTfjsBundle(tf, network, format), {
  rtol: 1e-5,
  atol: 1e-5,
})

test('it is wasm that ran', () => {
  expect([hasStarted, tf.getBackend()]).toEqual([true, 'wasm'])
})
