import type { Tfjs } from '@sluice/adapter-tfjs'
import { InvalidArgumentError } from '@sluice/core'
import type * as tf from '@tensorflow/tfjs'
import { normalizationEpsilon } from './operations/batch-normalization.ts'
import { assignParameterValues, readParameterValues, type TrainableNetwork } from './trainable-network.ts'

/**
 * Gives every batch normalisation the statistics of the data, and a scale and an offset with which the network computes the
 * same as before. An imported network whose normalisations were folded away needs this before it is trained: there, batch
 * statistics take the place of its neutral ones, and without this the network would be another one from the first step on.
 *
 * @param batches images `[batch, height, width, channels]`, a few thousand in all; they stay the caller's
 * @throws InvalidArgumentError when there is no batch
 */
export async function restoreBatchStatistics(
  tf: Tfjs,
  network: TrainableNetwork,
  batches: Iterable<tf.Tensor4D> | AsyncIterable<tf.Tensor4D>,
): Promise<void> {
  const operations = network.plan.operations.map(({ operation }) => operation)
  const normalizations = operations.filter(({ kind }) => kind === 'batch-normalization')
  const inputs = normalizations.map(({ inputs: [input = ''] }) => input)
  const moments = inputs.map(() => createMoments())
  for await (const images of batches) {
    const packed = tf.tidy(() => network.forward(images, false, inputs).map((input) => packMoments(tf, input)))
    const rows = await Promise.all(packed.map((tensor) => tensor.data<'float32'>()))
    tf.dispose(packed)
    for (const [index, row] of rows.entries()) moments[index]?.add(row, images.shape[0])
  }
  const values = new Map(await readParameterValues(network))
  for (const [index, { name }] of normalizations.entries()) {
    const measured = moments[index]?.finish()
    if (measured !== undefined) replaceStatistics(values, name, measured)
  }
  assignParameterValues(tf, network, values)
}

interface Statistics {
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/** Mean and variance of every channel, `[2, channels]`. */
function packMoments(tf: Tfjs, maps: tf.Tensor): tf.Tensor {
  const { mean, variance } = tf.moments(maps, [0, 1, 2])
  return tf.stack([mean, variance])
}

/** Joins the moments of batches: the variance of all is the mean variance plus the variance of the means. */
function createMoments() {
  let rows = 0
  let mean = new Float64Array()
  let square = new Float64Array()
  return {
    add(packed: Float32Array, count: number) {
      const channels = packed.length / 2
      if (rows === 0) [mean, square] = [new Float64Array(channels), new Float64Array(channels)]
      rows += count
      for (let channel = 0; channel < channels; channel++) {
        const [batchMean, batchVariance] = [packed[channel] ?? 0, packed[channels + channel] ?? 0]
        mean[channel] = (mean[channel] ?? 0) + count * batchMean
        square[channel] = (square[channel] ?? 0) + count * (batchVariance + batchMean ** 2)
      }
    },
    finish(): Statistics {
      if (rows === 0) throw new InvalidArgumentError('Batch statistics need at least one batch of images; give one.')
      const means = mean.map((sum) => sum / rows)
      return { mean: means, variance: square.map((sum, index) => Math.max(0, sum / rows - (means[index] ?? 0) ** 2)) }
    },
  }
}

function replaceStatistics(values: Map<string, Float32Array>, name: string, { mean, variance }: Statistics): void {
  const read = (role: string) => values.get(`${name}.${role}`) ?? new Float32Array(mean.length)
  const [oldMean, oldVariance, scale, offset] = [read('mean'), read('variance'), read('scale'), read('offset')]
  const deviation = (variances: ArrayLike<number>, index: number) =>
    Math.sqrt((variances[index] ?? 0) + normalizationEpsilon)
  const factors = Float64Array.from(scale, (value, index) => value / deviation(oldVariance, index))
  const shift = (index: number) => (factors[index] ?? 0) * ((mean[index] ?? 0) - (oldMean[index] ?? 0))
  values.set(
    `${name}.scale`,
    Float32Array.from(factors, (factor, index) => factor * deviation(variance, index)),
  )
  values.set(
    `${name}.offset`,
    offset.map((value, index) => value + shift(index)),
  )
  values.set(`${name}.mean`, Float32Array.from(mean))
  values.set(`${name}.variance`, Float32Array.from(variance))
}
