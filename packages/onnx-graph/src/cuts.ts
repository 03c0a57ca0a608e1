import { countElements, type DataType } from '@sluice/core'
import { type BatchShapes, createBatchShapes, type NetworkOptions, rowShape } from './batch-shapes.ts'
import { findDominators } from './dominators.ts'
import { UnsupportedGraphError } from './errors.ts'
import type { NodeProto } from './generated/onnx_pb.ts'
import { createGraphView, type GraphView } from './graph-view.ts'
import type { OnnxModel } from './onnx-model.ts'

/** A tensor that every path along which data flow from the network's input to its outputs passes. */
export interface Cut {
  readonly tensor: string
  readonly type: DataType
  /** Shape of one row, without the batch dimension. */
  readonly shape: readonly number[]
  /** MACs of one row from the input up to this tensor. */
  readonly macs: number
  /** Those as a fraction of the whole network's, 0..1; 0 for a network without MACs. */
  readonly share: number
}

/**
 * Names of all cut tensors in network order; the network's input and outputs are not among them. Needs no shapes, so
 * that operators without rules are no hindrance.
 *
 * @throws UnsupportedGraphError when the outputs depend on several inputs or on none
 */
export function findCutTensors(model: OnnxModel, options: Pick<NetworkOptions, 'outputs'> = {}): string[] {
  return listCutTensors(createGraphView(model, options.outputs))
}

/**
 * All cuts whose rows are samples (a leading batch dimension), with shapes and costs, in network order.
 *
 * @throws UnknownOperatorError when an operator on the way has no shape and cost rule
 * @throws UnsupportedGraphError when the outputs depend on several inputs or on none
 */
export function findCuts(model: OnnxModel, options: NetworkOptions = {}): Cut[] {
  const view = createGraphView(model, options.outputs)
  const tensors = listCutTensors(view)
  const shapes = createBatchShapes(model, options)
  const macsThrough = accumulateMacs(view, shapes)
  const total = [...macsThrough.values()].at(-1) ?? 0
  return tensors.flatMap((tensor) => {
    const producer = view.producerOf(tensor)
    const macs = (producer && macsThrough.get(producer)) ?? 0
    const info = shapes.tensor(tensor)
    const shape = info === undefined ? null : rowShape(info)
    if (shape === null || !info?.type) return []
    return [{ tensor, type: info.type, shape, macs, share: total === 0 ? 0 : macs / total }]
  })
}

/**
 * The cuts worth a gate: float32, one to three dimensions a row, behind some but not all of the MACs. Of neighbours with equal MACs
 * (convolution, addition, activation) the last one stays, as it is the most processed at the same cost, but never one
 * behind the loss of the spatial or token dimensions (global pooling, flatten), which heads pool themselves, nor a larger one
 * (padding), whose border tells nothing.
 */
export function selectGateCuts(cuts: readonly Cut[]): Cut[] {
  const candidates = cuts.filter(({ type, shape, share }) => {
    return type === 'float32' && shape.length >= 1 && shape.length <= 3 && share > 0 && share < 1
  })
  const selected: Cut[] = []
  for (const cut of candidates) {
    const last = selected.at(-1)
    if (last === undefined || last.macs !== cut.macs) selected.push(cut)
    else if (keepsDimensions(last, cut) && !isLarger(cut, last)) selected[selected.length - 1] = cut
  }
  return selected
}

function keepsDimensions(before: Cut, after: Cut): boolean {
  const losesMap = before.shape.length === 3 && isPixel(after) && !isPixel(before)
  return before.shape.length === after.shape.length && !losesMap
}

function isLarger(a: Cut, b: Cut): boolean {
  return countElements(a.shape) > countElements(b.shape)
}

/** One pixel of many channels, with the channels first or last. */
function isPixel({ shape: [first, height, last] }: Cut): boolean {
  return height === 1 && (first === 1 || last === 1)
}

function listCutTensors(view: GraphView): string[] {
  const steps = view.dataNodes.map((node) => ({
    inputs: view.inputsOf(node).filter((tensor) => view.kindOf(tensor) === 'data'),
    outputs: node.output,
  }))
  const outputs = view.outputs.filter((tensor) => view.kindOf(tensor) === 'data')
  return findDominators({ input: requireOneInput(view), outputs, steps })
}

function requireOneInput({ inputs }: GraphView): string {
  const [input, ...others] = inputs
  if (input === undefined) throw new UnsupportedGraphError('The network has no input that its outputs depend on.')
  if (others.length > 0) {
    throw new UnsupportedGraphError(
      `The network has ${inputs.length} inputs ('${inputs.join("', '")}'); gates need a network with one. Fold the others into constants, or export the part behind them.`,
    )
  }
  return input
}

/** Per-row MACs from the input up to and with each data node, in network order. */
function accumulateMacs(view: GraphView, shapes: BatchShapes): Map<NodeProto, number> {
  let total = 0
  return new Map(
    view.dataNodes.map((node) => {
      total += shapes.macsOf(node)
      return [node, total]
    }),
  )
}
