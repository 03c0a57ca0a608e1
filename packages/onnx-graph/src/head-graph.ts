import { InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import { addedPrefix } from './added-names.ts'
import { cutShape } from './cut-shape.ts'
import { appendGraph } from './edit-graph.ts'
import { createGraphBuilder, type GraphBuilder } from './graph-builder.ts'
import { appendConvolutions, countConvolvedPositions } from './head-convolution.ts'
import type { HeadConvolution, HeadLayer, HeadLayerShape } from './head-layer.ts'
import { appendMapPooling } from './map-pooling.ts'
import type { OnnxModel } from './onnx-model.ts'
import { appendPooling, countPooledFeatures, type PoolingSource } from './pooling.ts'

/** What turns a cut tensor into class scores: pooling, then layers one after another. */
export interface HeadWeights {
  readonly pooling: PoolingDescription
  readonly layers: readonly HeadLayer[]
  /**
   * Whether the first layer that is no convolution also takes the class scores of the gate in front, behind what comes
   * from the cut tensor: a cascade connection (Zero Time Waste, arXiv 2106.05409, section 3.1). False when absent.
   */
  readonly takesScores?: boolean | undefined
}

/** Name of the output with the class scores `[batch, classes]` of the gate with the given index. */
export function gateScoresName(gateIndex: number): string {
  return `${addedPrefix}gate_${gateIndex}/scores`
}

/**
 * Name of the input with the class scores of the gate in front, where the head of the gate with the given index takes
 * them: what the stage before calls its output. Undefined where it does not.
 * @throws InvalidArgumentError for a first gate whose head takes scores
 */
export function scoresInputName(
  { takesScores }: Pick<HeadWeights, 'takesScores'>,
  gateIndex: number,
): string | undefined {
  if (!takesScores) return undefined
  if (gateIndex > 0) return gateScoresName(gateIndex - 1)
  throw new InvalidArgumentError('The head of the first gate takes the scores of a gate in front; there is none.')
}

/** MACs of a head for one row: its matrix products, and its convolutions with what they do on padding. */
export function countHeadMacs({ layers }: { readonly layers: readonly HeadLayerShape[] }): number {
  return layers.reduce((sum, { inputs, outputs, convolution }) => {
    return sum + inputs * outputs * (convolution === undefined ? 1 : countConvolvedPositions(convolution))
  }, 0)
}

/**
 * A copy of a stage that yields a head's class scores as one more output, {@link gateScoresName}. One run then gives
 * both the activation and the scores. A head that takes scores adds the input {@link scoresInputName}. The weights' memory
 * is shared.
 *
 * @param stage a model that declares `cutTensor` as an output with its shape, as `splitIntoStages` makes them
 * @throws InvalidArgumentError when layers and shapes do not fit each other, the stage does not yield `cutTensor`, or the
 * first gate's head takes scores
 */
export function addHead(stage: OnnxModel, cutTensor: string, head: HeadWeights, gateIndex: number): OnnxModel {
  const shape = cutShape(stage, cutTensor)
  const classCount = head.layers.at(-1)?.outputs ?? 0
  const scoresInput = scoresInputName(head, gateIndex)
  checkLayers(head, countPooledFeatures(shape, head.pooling), scoresInput === undefined ? 0 : classCount)
  const builder = createGraphBuilder({ name: 'head', prefix: `${addedPrefix}gate_${gateIndex}/` })
  const { features: seen, layers } = appendSight(builder, { tensor: cutTensor, shape }, head, stage.opset)
  const features =
    scoresInput === undefined
      ? seen
      : builder.node('Concat', [seen, builder.input(scoresInput, 'float32', ['batch', classCount])], { axis: 1 })
  const scores = gateScoresName(gateIndex)
  appendLayers(builder, features, layers, scores)
  builder.output(scores, 'float32', ['batch', classCount])
  return appendGraph(stage, builder.buildGraph())
}

/** Appends what a head sees of the cut tensor: pooled, and past the convolutions where it has some. Returns the layers left. */
function appendSight(
  builder: GraphBuilder,
  { tensor, shape }: PoolingSource,
  { pooling, layers }: HeadWeights,
  opset: number,
): { readonly features: string; readonly layers: readonly HeadLayer[] } {
  const convolution = layers[0]?.convolution
  if (convolution === undefined) return { features: appendPooling(builder, { tensor, shape }, pooling, opset), layers }
  const [height, width] = shape.slice(1).map((size) => Math.min(size, pooling.size))
  if (shape.length === 3 && height === convolution.height && width === convolution.width) {
    return appendConvolutions(builder, appendMapPooling(builder, tensor, shape, pooling), layers)
  }
  throw new InvalidArgumentError(
    `The head convolves a map of ${convolution.height} x ${convolution.width}, and pooling [${shape.join(', ')}] gives another. Fit the head on features of the same cut and pooling.`,
  )
}

function checkLayers({ layers }: HeadWeights, pooledFeatures: number, scores: number): void {
  if (layers.length === 0) throw new InvalidArgumentError('The head has no layers; give at least one.')
  let [width, further] = [pooledFeatures, scores]
  for (const [index, { inputs, outputs, weights, bias, convolution }] of layers.entries()) {
    const expected = convolution === undefined ? width + further : countWindowValues(convolution, width)
    if (inputs !== expected || weights.length !== inputs * outputs || bias.length !== outputs) {
      throw new InvalidArgumentError(
        `Layer ${index} of the head declares ${inputs} inputs and ${outputs} outputs with ${weights.length} weights and ${bias.length} biases; it gets ${expected} values a row. Fit the head on features of the same cut and pooling.`,
      )
    }
    if (convolution === undefined) further = 0
    width = outputs * (convolution === undefined ? 1 : countConvolvedPositions(convolution))
  }
  if (layers.at(-1)?.activation !== 'none' || layers.at(-1)?.convolution !== undefined) {
    throw new InvalidArgumentError("The head's last layer has an activation; class scores need 'none' there.")
  }
}

function countWindowValues({ height, width }: HeadConvolution, mapValues: number): number {
  return (9 * mapValues) / (height * width)
}

function appendLayers(builder: GraphBuilder, features: string, layers: readonly HeadLayer[], scores: string): void {
  let row = features
  for (const [index, { inputs, outputs, activation, weights, bias }] of layers.entries()) {
    const w = builder.initializer(`weights_${index}`, { type: 'float32', dims: [inputs, outputs], data: weights })
    const b = builder.initializer(`bias_${index}`, { type: 'float32', dims: [outputs], data: bias })
    row = builder.node('Gemm', [row, w, b], {}, index === layers.length - 1 ? scores : undefined)
    if (activation === 'relu') row = builder.node('Relu', [row])
  }
}
