import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import type { Window } from '../feature-shape.ts'
import { channelMeans } from './channel-means.ts'
import { differentiate } from './differentiate.ts'
import { cropMap, padMap } from './padding.ts'
import { spreadOutputGradient } from './spread-output-gradient.ts'

/**
 * A convolution of each channel by itself. Its filter's gradient is summed tap by tap,
 * `dF[y, x, c] = sum over b, h, w of maps[b, h·stride + y - padding, w·stride + x - padding, c]·dy[b, h, w, c]`. That of the
 * maps is a convolution of `dy`, spread out by zeros, with the filter turned by half a turn.
 *
 * @param maps `[batch, height, width, channels]`
 * @param filter `[size, size, channels, 1]`
 */
export function convolveDepthwiseByTaps(tf: Tfjs, maps: tf.Tensor4D, filter: tf.Tensor4D, window: Window): tf.Tensor4D {
  return differentiate(tf, {
    inputs: [maps, filter],
    value: () => tf.depthwiseConv2d(maps, filter, window.stride, window.padding),
    save: () => [maps, filter],
    gradients: (dy, [savedMaps, savedFilter]) => {
      const spread = spreadOutputGradient(tf, dy, savedMaps.shape, window)
      const turned = tf.reverse(savedFilter, [0, 1])
      const [, height, width] = savedMaps.shape
      const mapGradient = cropMap(tf, tf.depthwiseConv2d(spread, turned, 1, 'valid'), height, width)
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
      const [top, left] = [Math.floor(tap / size), tap % size]
      const end = [batch, top + (rows - 1) * stride + 1, left + (columns - 1) * stride + 1, channels]
      const seen = tf.stridedSlice(padded, [0, top, left, 0], end, [1, stride, stride, 1])
      return tf.mul(channelMeans(tf, tf.mul(seen, dy)), batch * rows * columns)
    })
  })
  return tf.reshape(tf.stack(taps), [size, size, channels, 1])
}
