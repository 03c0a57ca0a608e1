import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'

/** The mean of every channel over batch, height and width: `[channels]`. The caller owns the result. */
export function channelMeans(tf: Tfjs, maps: tf.Tensor4D): tf.Tensor1D {
  const [, height, width] = maps.shape
  // Over the maps by pooling, because a mean over outer dimensions transposes them first on wasm.
  return tf.tidy(() => tf.mean(tf.avgPool(maps, [height, width], 1, 'valid'), [0, 1, 2]))
}
