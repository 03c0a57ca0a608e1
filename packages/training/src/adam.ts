import type { GraphBuilder } from '@sluice/onnx-graph'
import { floatConstant } from './graph-constants.ts'

/**
 * Decay rates of the two running averages. The second is faster than the usual 0.999: a fit takes a few hundred steps.
 */
const firstDecay = 0.9
const secondDecay = 0.99

/** Keeps a parameter whose gradient vanishes from a division by zero. */
const epsilon = 1e-7

/**
 * Names of a parameter and of its two running sums, all of the parameter's shape: `sum_i b1^(t-i) g_i` and
 * `sum_i b2^(t-i) g_i^2`, the moments without their factors `1 - b`.
 */
export type AdamState = readonly [parameter: string, gradientSum: string, squareSum: string]

/**
 * A function that appends one step of Adam (Kingma and Ba, arXiv 1412.6980) for one parameter and returns the names of
 * the next state. The moments' constant factors and bias corrections are in the rates of {@link scaleAdamRates}: a step
 * is ten elementwise operators, and their memory traffic is its cost.
 */
export function createAdam(builder: GraphBuilder): (state: AdamState, gradient: string, rate: string) => AdamState {
  const first = floatConstant(builder, 'adam_first_decay', firstDecay)
  const second = floatConstant(builder, 'adam_second_decay', secondDecay)
  const floor = floatConstant(builder, 'adam_epsilon', epsilon)
  const decay = (sum: string, factor: string, added: string) =>
    builder.node('Add', [builder.node('Mul', [sum, factor]), added])
  return ([parameter, firstSum, secondSum], gradient, rate) => {
    const gradientSum = decay(firstSum, first, gradient)
    const squareSum = decay(secondSum, second, builder.node('Mul', [gradient, gradient]))
    const size = builder.node('Add', [builder.node('Sqrt', [squareSum]), floor])
    const change = builder.node('Mul', [builder.node('Div', [gradientSum, size]), rate])
    return [builder.node('Sub', [parameter, change]), gradientSum, squareSum]
  }
}

/**
 * The rates that the graph of {@link createAdam} takes for the learning rates of all steps of a fit:
 * `rate * (1 - b1) / (1 - b1^t) * sqrt((1 - b2^t) / (1 - b2))` in step `t` from 1 on.
 */
export function scaleAdamRates(rates: Float32Array): Float32Array {
  return rates.map((rate, index) => {
    const first = (1 - firstDecay) / (1 - firstDecay ** (index + 1))
    return rate * first * Math.sqrt((1 - secondDecay ** (index + 1)) / (1 - secondDecay))
  })
}
