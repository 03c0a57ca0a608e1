import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import { channelMeans } from './channel-means.ts'
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
    value: () => tf.batchNorm(maps, mean, variance, offset, scale, epsilon),
    save: () => [maps, scale, mean, variance],
    gradients: (dy, [x, gamma, ...statistics]) => {
      const standard = tf.batchNorm(x, ...statistics, undefined, undefined, epsilon)
      const meanGradient = channelMeans(tf, dy)
      const meanProduct = channelMeans(tf, tf.mul(dy, standard))
      const factor = tf.mul(gamma, tf.rsqrt(tf.add(statistics[1], epsilon)))
      const [offsetThrough, scaleThrough] = [tf.mul(factor, tf.neg(meanGradient)), tf.mul(factor, tf.neg(meanProduct))]
      // What the statistics pass on is itself a normalisation, which is one pass over the maps.
      const throughStatistics = tf.batchNorm(x, ...statistics, offsetThrough, scaleThrough, epsilon)
      const count = dy.size / gamma.size
      return [tf.add(tf.mul(dy, factor), throughStatistics), tf.mul(meanProduct, count), tf.mul(meanGradient, count)]
    },
  })
  return { result, mean, variance }
}
