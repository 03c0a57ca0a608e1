import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import type { Window } from '../feature-shape.ts'
import { differentiate } from './differentiate.ts'
import { cropMap } from './padding.ts'
import { spreadOutputGradient } from './spread-output-gradient.ts'

/**
 * A convolution whose gradients are convolutions too. That of the filter,
 * `dF[y, x, i, o] = sum over b, h, w of maps[b, h·stride + y - padding, w·stride + x - padding, i]·dy[b, h, w, o]`, is one
 * that sums over the batch, with `dy` as a filter whose taps lie `stride` apart. That of the maps is one of `dy`, spread
 * out by zeros, with the filter turned by half a turn.
 *
 * @param maps `[batch, height, width, in]`
 * @param filter `[size, size, in, out]`
 */
export function convolveBySwappedAxes(tf: Tfjs, maps: tf.Tensor4D, filter: tf.Tensor4D, window: Window): tf.Tensor4D {
  return differentiate(tf, {
    inputs: [maps, filter],
    value: () => tf.conv2d(maps, filter, window.stride, window.padding),
    save: () => [maps, filter],
    gradients: (dy, [savedMaps, savedFilter]) => [
      mapGradient(tf, dy, savedMaps, savedFilter, window),
      filterGradient(tf, dy, savedMaps, window),
    ],
  })
}

function mapGradient(
  tf: Tfjs,
  dy: tf.Tensor4D,
  { shape }: tf.Tensor4D,
  filter: tf.Tensor4D,
  window: Window,
): tf.Tensor4D {
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2])
  const spread = spreadOutputGradient(tf, dy, shape, window)
  return cropMap(tf, tf.conv2d(spread, turned, 1, 'valid'), shape[1], shape[2])
}

function filterGradient(tf: Tfjs, dy: tf.Tensor4D, maps: tf.Tensor4D, window: Window): tf.Tensor4D {
  const { size, stride, padding } = window
  const channelsFirst = tf.transpose(maps, [3, 1, 2, 0])
  const taps = tf.transpose(dy, [1, 2, 0, 3])
  // A single number would let TensorFlow.js take the filter, here as large as the maps, for a square.
  const sides: [number, number] = [padding, padding]
  const correlation = tf.conv2d(channelsFirst, taps, 1, [[0, 0], sides, sides, [0, 0]], 'NHWC', stride)
  return tf.transpose(cropMap(tf, correlation, size, size), [1, 2, 0, 3])
}
