import { type DataType, InvalidArgumentError } from '@sluice/core'
import { replaceGraphParts } from './edit-graph.ts'
import { UnknownOperatorError, UnsupportedGraphError } from './errors.ts'
import type { NodeProto } from './generated/onnx_pb.ts'
import { declaredShape, listInputs, renameBatch } from './input-shapes.ts'
import type { OnnxModel } from './onnx-model.ts'
import { inferShapes, type ShapeInference } from './shape-inference.ts'

/** How to look at a network. */
export interface NetworkOptions {
  /** Shape of the (first) network input, batch included, where the model leaves more than the batch open. */
  readonly inputShape?: readonly number[]
  /** Names of the network outputs that count; all of them by default. */
  readonly outputs?: readonly string[]
}

/** A size `constant + perRow * batch`. */
export interface BatchSize {
  readonly constant: number
  readonly perRow: number
}

/** Type and shape of a tensor at every batch size. */
export interface BatchTensor {
  /** Null when no rule gives it. */
  readonly type: DataType | null
  readonly dims: readonly BatchSize[]
  /** Elements of a folded int64 tensor, e.g. the result of `Shape`; null when it has no folded value. */
  readonly values: readonly BatchSize[] | null
}

/** Shapes, shape values and costs of a model as functions of the batch size. */
export interface BatchShapes {
  /** Undefined for tensors behind operators without a shape rule. */
  tensor(name: string): BatchTensor | undefined
  /** Per-row MACs of a node. @throws UnknownOperatorError where no rule gives them */
  macsOf(node: NodeProto): number
}

/** Two batch sizes that tell a batch dimension from a size that happens to be 1. */
const batches = [2, 3] as const

/**
 * Infers a model's shapes at two batch sizes and takes what differs for what depends on the batch. A batch size that
 * the model's input declaration fixes is set free.
 *
 * @throws InvalidArgumentError when the model leaves sizes open that `inputShape` does not give
 * @throws UnsupportedGraphError when one of the outputs that count does not hold one row per sample at every batch size
 */
export function createBatchShapes(model: OnnxModel, { inputShape, outputs }: NetworkOptions = {}): BatchShapes {
  const free = freeBatch(model)
  const shape = inputShape === undefined ? {} : { inputShape }
  const [low, high] = batches.map((batch) => inferShapes(free, { batch, ...shape })) as [ShapeInference, ShapeInference]
  checkOutputs(outputs ?? model.graph.output.map(({ name }) => name), low, high)
  return {
    tensor: (name) => compare(name, low, high),
    macsOf(node) {
      const macs = low.nodeMacs.get(node)
      if (macs !== undefined) return macs / batches[0]
      throw low.failures.get(node.output[0] ?? '') ?? new UnknownOperatorError(node.opType, node.name)
    },
  }
}

/** Shape of one row of a tensor whose first dimension is the batch; null for any other shape. */
export function rowShape({ dims }: BatchTensor): readonly number[] | null {
  const [batch, ...rest] = dims
  const leadsWithBatch = batch?.constant === 0 && batch.perRow === 1
  return leadsWithBatch && rest.every(({ perRow }) => perRow === 0) ? rest.map(({ constant }) => constant) : null
}

/** A copy of a model whose inputs lead with a symbolic batch. */
function freeBatch(model: OnnxModel): OnnxModel {
  const inputs = new Set(listInputs(model))
  const input = model.graph.input.map((info) => {
    const [batch] = (inputs.has(info) && declaredShape(info)) || []
    return typeof batch === 'number' ? renameBatch(info, 'batch') : info
  })
  return replaceGraphParts(model, { input })
}

function compare(name: string, low: ShapeInference, high: ShapeInference): BatchTensor | undefined {
  const [a, b] = [low.tensors.get(name), high.tensors.get(name)]
  if (a === undefined || b === undefined || a.dims.length !== b.dims.length) return undefined
  return { type: a.type, dims: fit(a.dims, b.dims), values: fitValues(a.value?.data, b.value?.data) }
}

function checkOutputs(outputs: readonly string[], low: ShapeInference, high: ShapeInference): void {
  for (const name of outputs) {
    const failure = low.failures.get(name)
    if (failure instanceof InvalidArgumentError) throw failure
    if (failure !== undefined && !(failure instanceof UnknownOperatorError))
      throw failBatch(name, failure.message, failure)
    const info = compare(name, low, high)
    if (info === undefined || rowShape(info) !== null) continue
    const dims = info.dims.map(({ constant, perRow }) => constant + perRow * batches[0])
    throw failBatch(name, `A batch of ${batches[0]} gives [${dims.join(', ')}].`)
  }
}

function failBatch(output: string, reason: string, cause?: unknown): UnsupportedGraphError {
  return new UnsupportedGraphError(
    `Output '${output}' does not hold one row per sample for every batch size. ${reason} Export the model with a dynamic batch as the first dimension.`,
    { cause },
  )
}

function fit(low: readonly number[], high: readonly number[]): BatchSize[] {
  return low.map((value, index) => {
    const perRow = ((high[index] ?? value) - value) / (batches[1] - batches[0])
    return { constant: value - perRow * batches[0], perRow }
  })
}

function fitValues(low: ArrayLike<number | bigint> | undefined, high: ArrayLike<number | bigint> | undefined) {
  if (!(low instanceof BigInt64Array) || !(high instanceof BigInt64Array) || low.length !== high.length) return null
  return fit(Array.from(low, Number), Array.from(high, Number))
}
