import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import { differentiate } from './differentiate.ts'

/** What normalised maps are scaled by and moved to, `[channels]` each. */
export interface BatchNormalizationParameters {
  readonly scale: tf.Tensor1D
  readonly offset: tf.Tensor1D
  /** Added to the variance. */
  readonly epsilon: number
}

/** Normalised maps, and the statistics of the batch that they were normalised by. The caller owns all three. */
export interface NormalizedBatch {
  readonly result: tf.Tensor4D
  readonly mean: tf.Tensor1D
  /** Divided by the number of values, not by one less. */
  readonly variance: tf.Tensor1D
}

/**
 * `scale·(x - mean)/sqrt(variance + epsilon) + offset` with the batch's own statistics of each channel, differentiable in
 * the maps, scale and offset (arXiv 1502.03167, section 3). TensorFlow.js's own gradient takes the statistics as constants
 * and adds theirs operation by operation.
 */
export function normalizeBatch(
  tf: Tfjs,
  maps: tf.Tensor4D,
  { scale, offset, epsilon }: BatchNormalizationParameters,
): NormalizedBatch {
  const mean = channelMeans(tf, maps)
  const variance = channelMeans(tf, tf.squaredDifference(maps, mean))
  const result = differentiate(tf, {
    inputs: [maps, scale, offset],
    constants: [mean, variance],
    value: () => tf.batchNorm(maps, mean, variance, offset, scale, epsilon),
    gradients: (dy, [savedMaps, savedScale, , savedMean, savedVariance]) => {
      const standard = tf.batchNorm(savedMaps, savedMean, savedVariance, undefined, undefined, epsilon)
      const meanGradient = channelMeans(tf, dy)
      const meanProduct = channelMeans(tf, tf.mul(dy, standard))
      const centred = tf.sub(tf.sub(dy, meanGradient), tf.mul(standard, meanProduct))
      const factor = tf.mul(savedScale, tf.rsqrt(tf.add(savedVariance, epsilon)))
      const count = dy.size / savedScale.size
      return [tf.mul(centred, factor), tf.mul(meanProduct, count), tf.mul(meanGradient, count)]
    },
  })
  return { result, mean, variance }
}

/** The mean of every channel over batch, height and width: `[channels]`. */
function channelMeans(tf: Tfjs, maps: tf.Tensor4D): tf.Tensor1D {
  return tf.mean(maps, [0, 1, 2])
}
