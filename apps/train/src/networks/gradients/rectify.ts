import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import { differentiate } from './differentiate.ts'

/**
 * `max(x, 0)`, differentiable from its result, which the next operation keeps anyway. TensorFlow.js's own gradient keeps
 * the input too and takes several passes on the native backend.
 */
export function rectify(tf: Tfjs, maps: tf.Tensor4D): tf.Tensor4D {
  return differentiate(tf, {
    inputs: [maps],
    value: () => tf.relu(maps),
    save: (result) => [result],
    gradients: (dy, [result]) => [tf.mul(dy, markPositive(tf, result))],
  })
}

/** `min(max(x, 0), 6)`, otherwise as {@link rectify}. */
export function rectifyToSix(tf: Tfjs, maps: tf.Tensor4D): tf.Tensor4D {
  return differentiate(tf, {
    inputs: [maps],
    value: () => tf.relu6(maps),
    save: (result) => [result],
    gradients: (dy, [result]) => [tf.mul(dy, markPositive(tf, tf.mul(result, tf.sub(6, result))))],
  })
}

/**
 * 1 where values, none of them negative, are positive, and 0 elsewhere. `tf.step` takes five passes on the native backend,
 * `tf.sign` and comparisons are slow on wasm.
 */
function markPositive(tf: Tfjs, values: tf.Tensor4D): tf.Tensor4D {
  return tf.clipByValue(tf.mul<tf.Tensor4D>(values, 1e30), 0, 1)
}
