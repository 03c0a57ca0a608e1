import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import type { Window } from '../feature-shape.ts'

/**
 * The gradient of a convolution's result with `stride - 1` zeros behind every row and column, padded so that a `valid`
 * convolution by a filter of `size` covers at least the maps of `shape`, aligned at their top left.
 */
export function spreadOutputGradient(
  tf: Tfjs,
  dy: tf.Tensor4D,
  [, height, width]: readonly [number, number, number, number],
  { size, stride, padding }: Window,
): tf.Tensor4D {
  const [batch, rows, columns, channels] = dy.shape
  const before = size - 1 - padding
  const after = (length: number, count: number): [number, number] => {
    return [before, Math.max(0, length + padding - count * stride)]
  }
  const wide = appendZeros(tf, tf.reshape(dy, [-1, channels]), stride)
  const spread = appendZeros(tf, tf.reshape(wide, [-1, columns * stride * channels]), stride)
  const maps: tf.Tensor4D = tf.reshape(spread, [batch, rows * stride, columns * stride, channels])
  return tf.pad(maps, [[0, 0], after(height, rows), after(width, columns), [0, 0]])
}

/** Makes each row `stride` times as long. */
function appendZeros(tf: Tfjs, rows: tf.Tensor2D, stride: number): tf.Tensor2D {
  return stride === 1
    ? rows
    : tf.pad(rows, [
        [0, 0],
        [0, (stride - 1) * rows.shape[1]],
      ])
}
