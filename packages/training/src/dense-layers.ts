import { float, type GraphBuilder, type HeadLayer } from '@sluice/onnx-graph'
import { integerConstant } from './graph-constants.ts'

/** A layer without its parameters. */
export type LayerShape = Pick<HeadLayer, 'inputs' | 'outputs' | 'activation'>

/** Names of one layer's parameters, or of their gradients: weights `[inputs, outputs]` and bias `[outputs]`. */
export interface DenseLayerNames {
  readonly weights: string
  readonly bias: string
}

/** What the forward pass needs of a layer. */
export interface ForwardLayer extends DenseLayerNames {
  readonly activation: HeadLayer['activation']
}

/** Dropout at the input of one layer: the factor of every value (0, or `1 / (1 - rate)`), and the rate. */
export interface LayerDropout {
  readonly rate: number
  /** Name of the factors, `[batch, inputs]`. */
  readonly factors: string
}

/** What a forward pass leaves for the backward pass. */
export interface ForwardPass {
  /** `[batch, outputs of the last layer]` */
  readonly scores: string
  /** What enters each layer, after activation and dropout. */
  readonly inputs: readonly string[]
}

/**
 * Appends affine layers, each with its activation, and dropout at the inputs of those layers that have one.
 *
 * @param features name of the first layer's input, `[batch, inputs]`
 */
export function appendForward(
  builder: GraphBuilder,
  features: string,
  layers: readonly ForwardLayer[],
  dropout: readonly (LayerDropout | null)[],
): ForwardPass {
  const inputs: string[] = []
  let row = features
  for (const [index, { weights, bias, activation }] of layers.entries()) {
    const factors = dropout[index]?.factors
    if (factors !== undefined) row = builder.node('Mul', [row, factors])
    inputs.push(row)
    row = builder.node('Gemm', [row, weights, bias])
    if (activation === 'relu') row = builder.node('Relu', [row])
  }
  return { scores: row, inputs }
}

/**
 * Appends the gradients of every layer's parameters, first layer first.
 *
 * @param scoreGradient name of the derivative of the batch's loss with respect to the scores, `[batch, classes]`
 */
export function appendBackward(
  builder: GraphBuilder,
  { inputs }: ForwardPass,
  layers: readonly ForwardLayer[],
  dropout: readonly (LayerDropout | null)[],
  scoreGradient: string,
): DenseLayerNames[] {
  const batchAxis = integerConstant(builder, 'batch_axis', [0])
  const gradients: DenseLayerNames[] = []
  let gradient = scoreGradient
  for (const [index, input] of [...inputs.entries()].reverse()) {
    gradients.unshift({
      weights: builder.node('Gemm', [input, gradient], { transA: 1 }),
      bias: builder.node('ReduceSum', [gradient, batchAxis], { keepdims: 0 }),
    })
    const weights = layers[index]?.weights
    if (index === 0 || weights === undefined) break
    const isRelu = layers[index - 1]?.activation === 'relu'
    const scale = isRelu ? 1 / (1 - (dropout[index]?.rate ?? 0)) : 1
    gradient = builder.node('Gemm', [gradient, weights], { transB: 1, alpha: float(scale) })
    // After a ReLU the input is positive exactly where neither ReLU nor dropout held the value back.
    const factors = isRelu ? appendPositive(builder, input) : dropout[index]?.factors
    if (factors !== undefined) gradient = builder.node('Mul', [gradient, factors])
  }
  return gradients
}

/** 1 where a value is positive, 0 where it is 0; as a steep sigmoid, since ONNX Runtime runs Sign on a single thread. */
function appendPositive(builder: GraphBuilder, values: string): string {
  return builder.node('HardSigmoid', [values], { alpha: float(1e30), beta: float(0) })
}
