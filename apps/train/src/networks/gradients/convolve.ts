import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import type { Window } from '../feature-shape.ts'
import { convolveDepthwiseByTaps } from './depthwise-taps.ts'
import { applyPadding } from './padding.ts'
import { convolveBySwappedAxes } from './swapped-axes.ts'

/**
 * A 2-D convolution with a gradient on every backend. Where the backend has no kernel for the gradient (wasm), it is made
 * of convolutions.
 *
 * @param maps `[batch, height, width, in]`
 * @param filter `[size, size, in, out]`
 */
export function convolve(tf: Tfjs, maps: tf.Tensor4D, filter: tf.Tensor4D, window: Window): tf.Tensor4D {
  if (!hasKernel(tf, 'Conv2DBackpropFilter')) return convolveBySwappedAxes(tf, maps, filter, window)
  const [padded, padding] = applyPadding(tf, maps, window)
  return tf.conv2d(padded, filter, window.stride, padding)
}

/**
 * A convolution of each channel by itself, with a gradient on every backend.
 *
 * @param maps `[batch, height, width, channels]`
 * @param filter `[size, size, channels, 1]`
 */
export function convolveDepthwise(tf: Tfjs, maps: tf.Tensor4D, filter: tf.Tensor4D, window: Window): tf.Tensor4D {
  if (!hasKernel(tf, 'DepthwiseConv2dNativeBackpropFilter')) return convolveDepthwiseByTaps(tf, maps, filter, window)
  const [padded, padding] = applyPadding(tf, maps, window)
  return tf.depthwiseConv2d(padded, filter, window.stride, padding)
}

function hasKernel(tf: Tfjs, name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined
}
