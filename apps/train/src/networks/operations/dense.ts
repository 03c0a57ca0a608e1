import type * as tf from '@tensorflow/tfjs'
import { countChannels } from '../feature-shape.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'

/** A fully connected layer with a bias on `[batch, inputs]`. */
export interface Dense extends OperationBase {
  readonly kind: 'dense'
  /** Of the result. */
  readonly features: number
}

export const denseRule: OperationRule<Dense> = {
  shape: ({ features }) => [features],
  macs: ({ features }, [input = []]) => features * countChannels(input),
  parameters({ name, features }, [input = []]) {
    const inputs = countChannels(input)
    // No ReLU follows the scores, so the variance is kept by 1 / inputs instead of He's 2 / inputs.
    const initial = { deviation: Math.sqrt(1 / inputs) }
    return [
      { name: `${name}.weight`, shape: [inputs, features], trained: true, decays: true, initial },
      { name: `${name}.bias`, shape: [features], trained: true, decays: false, initial: { value: 0 } },
    ]
  },
  forward({ name }, { tf, rows, parameter }) {
    return tf.add(tf.matMul(rows(), parameter<tf.Rank.R2>(`${name}.weight`)), parameter(`${name}.bias`))
  },
  writeOnnx({ name, inputs: [input = ''] }, writer) {
    const parameters = [writer.parameter(`${name}.weight`, [1, 0]), writer.parameter(`${name}.bias`)]
    writer.node('Gemm', [input, ...parameters], { transB: 1 }, name)
  },
  writeLayers({ name, inputs, features }, writer) {
    const weights = [
      ['kernel', `${name}.weight`],
      ['bias', `${name}.bias`],
    ] as const
    const config = { units: features, activation: 'linear', use_bias: true }
    writer.layer({ name, className: 'Dense', inputs, config, weights })
  },
}
