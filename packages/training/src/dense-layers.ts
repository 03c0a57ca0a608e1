import { float, type GraphBuilder, type HeadLayer, type HeadLayerShape } from '@sluice/onnx-graph'
import { appendNormalisation, appendNormalisationGradient, type Normalisation } from './batch-normalisation.ts'
import {
  appendFlatMap,
  appendFlatMapGradient,
  appendMap,
  appendMapGradient,
  appendWindows,
  countMapValues,
  isConvolution,
  sliceColumns,
} from './convolution-windows.ts'
import type { FeatureMap } from './feature-store.ts'
import { integerConstant } from './graph-constants.ts'

/** Names of one layer's parameters, or of their gradients: weights `[inputs, outputs]`, bias and scale `[outputs]`. */
export interface LayerNames {
  readonly weights: string
  readonly bias: string
  /** Where there is one, what the weights yield is normalised within the batch and scaled before the bias is added. */
  readonly scale?: string | undefined
}

/** What the passes need of a layer. */
export interface NamedLayer extends LayerNames {
  readonly shape: HeadLayerShape
  /** Dropout at its input; null where there is none. */
  readonly dropout: LayerDropout | null
}

/** The factor of every value (0, or `1 / (1 - rate)`), and the rate. */
export interface LayerDropout {
  readonly rate: number
  /** Name of the factors, `[batch, inputs]`. */
  readonly factors: string
}

/** What enters a head. */
export interface HeadInput {
  /** Name of the rows, `[batch, width]`. */
  readonly features: string
  readonly width: number
  /** What the first convolution takes of a row; the rest joins what the last one yields. */
  readonly map?: FeatureMap | undefined
}

/** What a forward pass leaves for the backward pass. */
export interface ForwardPass {
  /** `[batch, outputs of the last layer]` */
  readonly scores: string
  /** What meets each layer's weights, after activation and dropout: rows, or the windows of a convolution. */
  readonly inputs: readonly string[]
  /** What each layer yields, after activation; of a convolution `[batch * windows, channels]`. */
  readonly outputs: readonly string[]
  /** Of each layer; null where it has none. */
  readonly normalisations: readonly (Normalisation | null)[]
  /** Values of a row behind the map. */
  readonly others: number
}

/**
 * Appends affine layers, each with its activation, and dropout at the inputs of those layers that have one. A convolution
 * is a layer on the windows of a map.
 */
export function appendForward(builder: GraphBuilder, input: HeadInput, layers: readonly NamedLayer[]): ForwardPass {
  const { features, width, map } = input
  const inputs: string[] = []
  const outputs: string[] = []
  const normalisations: (Normalisation | null)[] = []
  const start = map === undefined || !isConvolution(layers[0]?.shape) ? width : countMapValues(map)
  const others = width - start
  const otherFeatures = others === 0 ? [] : [sliceColumns(builder, 'others', features, start, width)]
  let row = features
  for (const [index, { weights, bias, scale, shape, dropout }] of layers.entries()) {
    const before = layers[index - 1]?.shape
    if (isConvolution(shape)) {
      if (index === 0 && map !== undefined) row = appendMap(builder, features, map, others)
      row = appendWindows(builder, row, shape, index)
    } else if (isConvolution(before)) row = appendFlatMap(builder, row, before, otherFeatures)
    if (dropout !== null) row = builder.node('Mul', [row, dropout.factors])
    inputs.push(row)
    row = builder.node('Gemm', scale === undefined ? [row, weights, bias] : [row, weights])
    const normalisation = scale === undefined ? null : appendNormalisation(builder, row, scale, bias, index)
    normalisations.push(normalisation)
    if (normalisation !== null) row = normalisation.rows
    if (shape.activation === 'relu') row = builder.node('Relu', [row])
    outputs.push(row)
  }
  return { scores: row, inputs, outputs, normalisations, others }
}

/**
 * Appends the gradients of every layer's parameters, first layer first.
 *
 * @param scoreGradient name of the derivative of the batch's loss with respect to the scores, `[batch, classes]`
 */
export function appendBackward(
  builder: GraphBuilder,
  pass: ForwardPass,
  layers: readonly NamedLayer[],
  scoreGradient: string,
): LayerNames[] {
  const batchAxis = integerConstant(builder, 'batch_axis', [0])
  const gradients: LayerNames[] = []
  let gradient = scoreGradient
  for (const [index, input] of [...pass.inputs.entries()].reverse()) {
    const normalisation = pass.normalisations[index] ?? null
    const scale = layers[index]?.scale
    if (normalisation !== null && scale !== undefined) {
      const { rows, ...others } = appendNormalisationGradient(builder, normalisation, scale, gradient, index)
      gradient = rows
      const weights = builder.node('Gemm', [input, gradient], { transA: 1 })
      gradients.unshift({ weights, bias: others.shift, scale: others.scale })
    } else {
      gradients.unshift({
        weights: builder.node('Gemm', [input, gradient], { transA: 1 }),
        bias: builder.node('ReduceSum', [gradient, batchAxis], { keepdims: 0 }),
      })
    }
    if (index > 0) gradient = appendInputGradient(builder, pass, layers, index, gradient)
  }
  return gradients
}

/** Stores the parameters of layers that run as they are; returns their names. */
export function storeLayers(builder: GraphBuilder, layers: readonly HeadLayer[]): NamedLayer[] {
  return layers.map(({ weights, bias, ...shape }, index) => {
    const store = (name: string, dims: readonly number[], data: Float32Array) =>
      builder.initializer(`${name}_${index}`, { type: 'float32', dims, data })
    const { inputs, outputs } = shape
    return {
      shape,
      weights: store('weights', [inputs, outputs], weights),
      bias: store('bias', [outputs], bias),
      dropout: null,
    }
  })
}

/** The gradient by what the layer before yields, ahead of its activation. */
function appendInputGradient(
  builder: GraphBuilder,
  { inputs, outputs, others }: ForwardPass,
  layers: readonly NamedLayer[],
  index: number,
  gradient: string,
): string {
  const [before, layer] = layers.slice(index - 1, index + 1)
  if (before === undefined || layer === undefined) return gradient
  const isRelu = before.shape.activation === 'relu'
  const scale = isRelu ? 1 / (1 - (layer.dropout?.rate ?? 0)) : 1
  const ofInput = builder.node('Gemm', [gradient, layer.weights], { transB: 1, alpha: float(scale) })
  if (isConvolution(layer.shape)) {
    const ofMap = appendMapGradient(builder, ofInput, layer.shape, index)
    return isRelu ? builder.node('Mul', [ofMap, appendPositive(builder, outputs[index - 1] ?? '')]) : ofMap
  }
  // After a ReLU the input is positive exactly where neither ReLU nor dropout held the value back.
  const factors = isRelu ? appendPositive(builder, inputs[index] ?? '') : layer.dropout?.factors
  const kept = factors === undefined ? ofInput : builder.node('Mul', [ofInput, factors])
  return isConvolution(before.shape) ? appendFlatMapGradient(builder, kept, before.shape, others) : kept
}

/** 1 where a value is positive, 0 where it is 0; as a steep sigmoid, since ONNX Runtime runs Sign on a single thread. */
function appendPositive(builder: GraphBuilder, values: string): string {
  return builder.node('HardSigmoid', [values], { alpha: float(1e30), beta: float(0) })
}
