import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import { countChannels } from '../feature-shape.ts'
import { normalizeBatch } from '../gradients/normalize-batch.ts'
import type { OperationBase, OperationRule, ParameterDescription } from './operation-rule.ts'

/**
 * Batch normalisation over every axis but the channels (Ioffe and Szegedy, arXiv 1502.03167). Moving statistics keep
 * `movingMomentum` of themselves at a training step; the moving variance is that of the batch divided by its count,
 * as in Keras.
 */
export interface BatchNormalization extends OperationBase {
  readonly kind: 'batch-normalization'
  /** 1; or 0 at the end of a residual branch, so that training starts from the identity. */
  readonly initialScale: number
}

/** Added to every variance. */
export const normalizationEpsilon = 1e-5

/** What a moving statistic keeps of itself at a step: PyTorch's 0.9 (there called momentum 0.1); Keras takes 0.99. */
const movingMomentum = 0.9

export const batchNormalizationRule: OperationRule<BatchNormalization> = {
  shape: (_operation, [input = []]) => input,
  macs: () => 0,
  parameters({ name, initialScale }, [input = []]) {
    const describe = (role: string, value: number, trained: boolean): ParameterDescription => {
      return { name: `${name}.${role}`, shape: [countChannels(input)], trained, decays: false, initial: { value } }
    }
    return [
      describe('scale', initialScale, true),
      describe('offset', 0, true),
      describe('mean', 0, false),
      describe('variance', 1, false),
    ]
  },
  forward({ name }, { tf, map, training, parameter }) {
    const [scale, offset] = [parameter<tf.Rank.R1>(`${name}.scale`), parameter<tf.Rank.R1>(`${name}.offset`)]
    const moving = { mean: parameter<tf.Rank.R1>(`${name}.mean`), variance: parameter<tf.Rank.R1>(`${name}.variance`) }
    if (!training) return tf.batchNorm(map(), moving.mean, moving.variance, offset, scale, normalizationEpsilon)
    const { result, mean, variance } = normalizeBatch(tf, map(), { scale, offset, epsilon: normalizationEpsilon })
    follow(tf, moving.mean, mean)
    follow(tf, moving.variance, variance)
    return result
  },
  writeOnnx({ name, inputs: [input = ''] }, writer) {
    const parameters = ['scale', 'offset', 'mean', 'variance'].map((role) => writer.parameter(`${name}.${role}`))
    writer.node('BatchNormalization', [input, ...parameters], { epsilon: { float: normalizationEpsilon } }, name)
  },
  writeLayers({ name, inputs }, writer) {
    const config = { axis: -1, momentum: movingMomentum, epsilon: normalizationEpsilon, center: true, scale: true }
    const weights = [
      ['gamma', `${name}.scale`],
      ['beta', `${name}.offset`],
      ['moving_mean', `${name}.mean`],
      ['moving_variance', `${name}.variance`],
    ] as const
    writer.layer({ name, className: 'BatchNormalization', inputs, config, weights })
  },
}

function follow(tf: Tfjs, moving: tf.Variable<tf.Rank.R1>, batch: tf.Tensor1D): void {
  moving.assign(tf.add(tf.mul(moving, movingMomentum), tf.mul(batch, 1 - movingMomentum)))
}

/**
 * Parameters and statistics with which the operation adds `bias` and does nothing else, apart from training: what is left
 * of a normalisation whose scale a file has folded into the convolution before it.
 */
export function describeFoldedNormalization(name: string, bias: Float32Array): [name: string, values: Float32Array][] {
  const fill = (value: number) => new Float32Array(bias.length).fill(value)
  return [
    [`${name}.scale`, fill(1)],
    [`${name}.offset`, bias],
    [`${name}.mean`, fill(0)],
    [`${name}.variance`, fill(1 - normalizationEpsilon)],
  ]
}
