import {
  createGraphBuilder,
  elementTypeCode,
  type GraphBuilder,
  type HeadLayerShape,
  writeOnnxModel,
} from '@sluice/onnx-graph'
import { type AdamState, createAdam } from './adam.ts'
import { appendBackward, appendForward, type LayerNames } from './dense-layers.ts'
import type { FeatureMap } from './feature-store.ts'
import { integerConstant } from './graph-constants.ts'
import type { HeadLoss } from './losses/head-loss.ts'

/** What a training graph is built for. */
export interface TrainingGraphOptions {
  readonly layers: readonly HeadLayerShape[]
  /** Values of a row of features. */
  readonly width: number
  /** What the first layer takes of a row where it is a convolution. */
  readonly map?: FeatureMap | undefined
  readonly loss: HeadLoss
  /** Dropout rate at the input of each layer, 0 <= rate < 1; of a convolution behind another one 0. */
  readonly dropout: readonly number[]
}

/** A value that the optimiser changes from step to step. */
export interface CarriedValue {
  /** Name of the graph's input for the value before the first step. */
  readonly input: string
  /** Name of the graph's output for the value after the last step. */
  readonly output: string
  readonly dims: readonly number[]
  readonly layer: number
  /** A parameter of the layer, or the optimiser's state. */
  readonly kind: ParameterKind | 'state'
}

/** Weights and bias of a layer, and the scale of a convolution behind its normalisation. */
export type ParameterKind = 'weights' | 'bias' | 'scale'

/** A serialised training graph and the names of what goes in and out. */
export interface TrainingGraph {
  readonly model: Uint8Array
  /** Parameters of each layer, then the optimiser's state. Zeros are a valid state. */
  readonly carried: readonly CarriedValue[]
  /** Name of the output with the weighted mean loss of each step, `[steps]`. */
  readonly losses: string
}

/** Name of the graph's input for a parameter of one layer. */
export function parameterName(kind: ParameterKind, layer: number): string {
  return `${kind}_${layer}`
}

/** Name of the input with the dropout factors of a layer after the first, `[batch, inputs of the layer]`. */
export function dropoutName(layer: number): string {
  return `dropout_${layer}`
}

/**
 * Many optimiser steps as one ONNX graph, a `Loop` whose loop-carried values are the parameters and Adam's state.
 *
 * Inputs beside the carried values, with `rows` rows of features at hand and `batch` of them in a step:
 * - `features` `[rows, width]`, which enter the first layer as `x * input_factors - input_shift`: standardised, with the
 *   layer's dropout. Both are `[batch, width]`, or `[1, width]` without dropout
 * - `targets`: int32 labels `[rows]`, or the network's scores `[rows, classes]`, as the loss wants
 * - `row_weights` `[rows]`: factor of each row's loss
 * - `step_count` int64 scalar, `order` int32 `[steps, batch]`: rows of each step; `rates` `[steps]` of {@link createAdam}
 * - for each later layer with dropout its factors, {@link dropoutName}
 */
export function buildTrainingGraph(options: TrainingGraphOptions): TrainingGraph {
  const values = planCarriedValues(options.layers)
  const body = createGraphBuilder({ name: 'step', prefix: 'step/' })
  const step = body.input('step/index', 'int64', [])
  const running = body.input('step/running', 'bool', [])
  for (const { input, dims } of values) body.input(`step/${input}`, 'float32', dims)
  const next = appendStep(body, step, options)
  body.output(body.node('Identity', [running]), 'bool', [])
  for (const [index, { dims }] of values.entries()) body.output(next.carried[index] as string, 'float32', dims)
  body.output(next.loss, 'float32', [])

  const graph = createGraphBuilder({ name: 'steps' })
  declareInputs(graph, options, values)
  const inputs = ['step_count', '', ...values.map(({ input }) => input)]
  const outputs = graph.nodes('Loop', inputs, values.length + 1, { body: body.buildGraph() })
  const losses = outputs[values.length] as string
  const carried = values.map((value, index) => ({ ...value, output: outputs[index] as string }))
  for (const { output, dims } of carried) graph.output(output, 'float32', dims)
  graph.output(losses, 'float32', ['steps'])
  return { model: writeOnnxModel(graph.buildModel()), carried, losses }
}

/** For each parameter its value and the two sums of Adam. */
function planCarriedValues(layers: readonly HeadLayerShape[]): Omit<CarriedValue, 'output'>[] {
  return layers.flatMap(({ inputs, outputs, convolution }, layer) => {
    const withState = (kind: ParameterKind, dims: readonly number[]) =>
      stateOf(parameterName(kind, layer)).map((input, part) => {
        return { input, dims, layer, kind: part === 0 ? kind : ('state' as const) }
      })
    const scale = convolution === undefined ? [] : withState('scale', [outputs])
    return [...withState('weights', [inputs, outputs]), ...withState('bias', [outputs]), ...scale]
  })
}

function declareInputs(
  graph: GraphBuilder,
  { layers, width, loss, dropout }: TrainingGraphOptions,
  carried: readonly Omit<CarriedValue, 'output'>[],
): void {
  graph.input('features', 'float32', ['rows', width])
  const inputRows = (dropout[0] ?? 0) > 0 ? 'batch' : 1
  graph.input('input_factors', 'float32', [inputRows, width])
  graph.input('input_shift', 'float32', [inputRows, width])
  if (loss.target === 'labels') graph.input('targets', 'int32', ['rows'])
  else graph.input('targets', 'float32', ['rows', layers.at(-1)?.outputs ?? 0])
  graph.input('row_weights', 'float32', ['rows', 1])
  graph.input('step_count', 'int64', [])
  graph.input('order', 'int32', ['steps', 'batch'])
  graph.input('rates', 'float32', ['steps'])
  for (const [layer, { inputs }] of layers.entries()) {
    if (layer > 0 && (dropout[layer] ?? 0) > 0) graph.input(dropoutName(layer), 'float32', ['batch', inputs])
  }
  for (const { input, dims } of carried) graph.input(input, 'float32', dims)
}

/** One step; returns the names of the next carried values, in their order, and of the batch's loss. */
function appendStep(body: GraphBuilder, step: string, options: TrainingGraphOptions) {
  const { loss, width, map } = options
  const ofStep = (input: string) => body.node('Gather', [input, step])
  const rows = ofStep('order')
  const raw = body.node('Gather', ['features', rows])
  const features = body.node('Sub', [body.node('Mul', [raw, 'input_factors']), 'input_shift'])
  const layers = options.layers.map((shape, layer) => {
    const rate = options.dropout[layer] ?? 0
    return {
      shape,
      weights: `step/${parameterName('weights', layer)}`,
      bias: `step/${parameterName('bias', layer)}`,
      scale: shape.convolution === undefined ? undefined : `step/${parameterName('scale', layer)}`,
      dropout: layer > 0 && rate > 0 ? { rate, factors: dropoutName(layer) } : null,
    }
  })
  const forward = appendForward(body, { features, width, map }, layers)

  const classCount = options.layers.at(-1)?.outputs ?? 0
  const target = appendTarget(body, loss, body.node('Gather', ['targets', rows]), classCount)
  const { value, gradient } = loss.append(body, { scores: forward.scores, target, classCount })
  const weights = body.node('Gather', ['row_weights', rows])
  const shares = body.node('Div', [weights, body.node('ReduceSum', [weights])])
  const gradients = appendBackward(body, forward, layers, body.node('Mul', [gradient, shares]))

  const update = createAdam(body)
  const rate = ofStep('rates')
  const carried = layers.flatMap((layer, index) => {
    const ofLayer = gradients[index] as LayerNames
    const updated = (parameter?: string, gradient?: string) =>
      parameter === undefined || gradient === undefined ? [] : update(stateOf(parameter), gradient, rate)
    return [
      ...updated(layer.weights, ofLayer.weights),
      ...updated(layer.bias, ofLayer.bias),
      ...updated(layer.scale, ofLayer.scale),
    ]
  })
  const batchLoss = body.node('ReduceSum', [body.node('Mul', [value, shares])], { keepdims: 0 })
  return { carried, loss: batchLoss }
}

function stateOf(parameter: string): AdamState {
  return [parameter, `${parameter}_gradient_sum`, `${parameter}_square_sum`]
}

function appendTarget(body: GraphBuilder, loss: HeadLoss, target: string, classCount: number): string {
  if (loss.target === 'network-scores') return target
  const values = body.initializer('off_and_on', { type: 'float32', dims: [2], data: Float32Array.of(0, 1) })
  const classes = body.node('Cast', [target], { to: elementTypeCode('int64') })
  return body.node('OneHot', [classes, integerConstant(body, 'class_count', classCount), values])
}
