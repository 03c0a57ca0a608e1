import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import type { Window } from '../feature-shape.ts'
import { differentiate } from './differentiate.ts'
import { padMap } from './padding.ts'
import { spreadOutputGradient } from './spread-output-gradient.ts'

/**
 * A convolution of each channel by itself. Its filter's gradient is summed tap by tap,
 * `dF[y, x, c] = sum over b, h, w of maps[b, h·stride + y - padding, w·stride + x - padding, c]·dy[b, h, w, c]`; that of the maps is a convolution as in
 * {@link convolveBySwappedAxes}.
 *
 * @param maps `[batch, height, width, channels]`
 * @param filter `[size, size, channels, 1]`
 */
export function convolveDepthwiseByTaps(tf: Tfjs, maps: tf.Tensor4D, filter: tf.Tensor4D, window: Window): tf.Tensor4D {
  return differentiate(tf, {
    inputs: [maps, filter],
    constants: [],
    value: () => tf.depthwiseConv2d(maps, filter, window.stride, window.padding),
    gradients: (dy, [savedMaps, savedFilter]) => {
      const spread = spreadOutputGradient(tf, dy, savedMaps.shape, window)
      const turned = tf.reverse(savedFilter, [0, 1])
      const [, height, width] = savedMaps.shape
      const mapGradient = tf.slice(tf.depthwiseConv2d(spread, turned, 1, 'valid'), 0, [-1, height, width, -1])
      return [mapGradient, filterGradient(tf, dy, savedMaps, window)]
    },
  })
}

function filterGradient(tf: Tfjs, dy: tf.Tensor4D, maps: tf.Tensor4D, window: Window): tf.Tensor4D {
  const { size, stride, padding } = window
  const [batch, rows, columns, channels] = dy.shape
  const padded = padMap(tf, maps, padding)
  const taps = Array.from({ length: size * size }, (_, tap) => {
    return tf.tidy(() => {
      const start = [0, Math.floor(tap / size), tap % size, 0]
      const end = [batch, (rows - 1) * stride + 1, (columns - 1) * stride + 1, channels].map(
        (length, axis) => length + (axis === 1 || axis === 2 ? (start[axis] ?? 0) : 0),
      )
      const seen = tf.stridedSlice(padded, start, end, [1, stride, stride, 1])
      return tf.sum(tf.mul(seen, dy), [0, 1, 2])
    })
  })
  return tf.reshape(tf.stack(taps), [size, size, channels, 1])
}
