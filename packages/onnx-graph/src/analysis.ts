import { countElements } from '@sluice/core'
import { type BatchShapes, type BatchSize, createBatchShapes } from './batch-shapes.ts'
import { UnsupportedGraphError } from './errors.ts'
import type { Dimension } from './graph-builder.ts'
import { createGraphView } from './graph-view.ts'
import { declaredShape, listInputs } from './input-shapes.ts'
import type { OnnxModel } from './onnx-model.ts'
import { dimsOf } from './tensor-proto.ts'

/** An input or output; sizes that depend on the batch are told by its name, e.g. `['batch', 3, 224, 224]`. */
export interface NamedShape {
  readonly name: string
  readonly shape: readonly Dimension[]
}

/** What a network takes, gives and costs. */
export interface ModelAnalysis {
  readonly inputs: readonly NamedShape[]
  readonly outputs: readonly NamedShape[]
  /** MACs of one row, as one row of a batch of two costs. 1 MAC = 2 FLOPs. */
  readonly macs: number
  /**
   * Elements of all floating-point weights in the file, each counted once however often it is used. Exporters change this
   * number: folded batch normalisation leaves a bias, unfolded has its running statistics among the weights, and weights
   * with equal values may be shared.
   */
  readonly parameters: number
}

/** What the file leaves open. */
export interface AnalyzeModelOptions {
  /** Shape of the (first) input, batch included, where the model leaves more than the batch open. */
  readonly inputShape?: readonly number[]
}

/**
 * Shapes, MACs and parameters of a network. Weights are not read.
 * @throws UnknownOperatorError when an operator has no shape and cost rule
 * @throws UnsupportedGraphError when the outputs are not one row per sample at every batch size
 * @throws InvalidArgumentError when the model leaves sizes open that `inputShape` does not give
 */
export function analyzeModel(model: OnnxModel, options: AnalyzeModelOptions = {}): ModelAnalysis {
  const shapes = createBatchShapes(model, options)
  const inputs = listInputs(model)
  const declaredBatch = inputs[0] && declaredShape(inputs[0])?.[0]
  const batch = typeof declaredBatch === 'string' && declaredBatch !== '' ? declaredBatch : 'batch'
  const describe = ({ name }: { readonly name: string }) => ({ name, shape: describeShape(name, shapes, batch) })
  const macs = countMacs(model, shapes)
  return {
    inputs: inputs.map(describe),
    outputs: model.graph.output.map(describe),
    macs,
    parameters: countParameters(model),
  }
}

function describeShape(tensor: string, shapes: BatchShapes, batch: string): Dimension[] {
  const info = shapes.tensor(tensor)
  if (info === undefined) {
    throw new UnsupportedGraphError(`The rank of '${tensor}' depends on the batch size. Export the model again.`)
  }
  return info.dims.map((size) => describeSize(size, batch))
}

function describeSize({ constant, perRow }: BatchSize, batch: string): Dimension {
  if (perRow === 0) return constant
  const product = perRow === 1 ? batch : `${perRow} * ${batch}`
  return constant === 0 ? product : `${product} + ${constant}`
}

function countMacs(model: OnnxModel, shapes: BatchShapes): number {
  const macs = createGraphView(model).dataNodes.reduce((sum, node) => sum + shapes.macsOf(node), 0)
  if (Number.isSafeInteger(macs)) return macs
  throw new UnsupportedGraphError(`The network costs ${macs} MACs a row, which is no exact integer. Check its shapes.`)
}

/** The file format's numbers of floating-point types: float, float16, double, bfloat16. */
const floatingPointCodes: readonly number[] = [1, 10, 11, 16]

function countParameters({ graph }: OnnxModel): number {
  const weights = graph.initializer.filter(({ dataType }) => floatingPointCodes.includes(dataType))
  return weights.reduce((sum, proto) => sum + countElements(dimsOf(proto)), 0)
}
