import { countElements, SluiceError } from '@sluice/core'
import { describeTensorProto } from './describe-tensor-proto.ts'
import { UnknownOperatorError, UnsupportedGraphError } from './errors.ts'
import type { NodeProto } from './generated/onnx_pb.ts'
import { createInputDescriptions, type InputShapeOptions } from './input-shapes.ts'
import type { OnnxModel } from './onnx-model.ts'
import { createOperatorContext } from './operators/operator-context.ts'
import { findOperatorRule } from './operators/operator-registry.ts'
import { describeTensor, type TensorInfo } from './tensor-info.ts'
import { dataTypeOf, dimsOf } from './tensor-proto.ts'

export type { InputShapeOptions } from './input-shapes.ts'
export type { TensorInfo } from './tensor-info.ts'

/** All shapes of a network at one batch size. */
export interface ShapeInference {
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Why a tensor is missing from `tensors`: the error of the node, input or weight where its shape got lost. */
  readonly failures: ReadonlyMap<string, SluiceError>
  /** MACs of each node for the whole batch; nodes whose outputs are missing are absent. */
  readonly nodeMacs: ReadonlyMap<NodeProto, number>
}

/**
 * Infers the shapes of all tensors at one batch size by plain arithmetic, folding shape subgraphs on the way. Weights are
 * not read. What cannot be inferred does not stop the rest and is told in `failures`.
 *
 * MACs count convolutions and matrix products; what is computed from weights alone is not counted.
 * @throws InvalidArgumentError when the options hold no positive integers, or `inputShape` has another rank than declared
 */
export function inferShapes(model: OnnxModel, options: InputShapeOptions): ShapeInference {
  const state = createInferenceState()
  describeWeights(model, state)
  for (const [name, describe] of createInputDescriptions(model, options)) {
    record(state, [name], () => [describe()])
  }
  for (const node of model.graph.node) {
    if (node.input.every((name) => name === '' || state.weights.has(name))) addAll(state.weights, node.output)
    record(state, node.output, () => inferNode(model, node, state))
  }
  return state
}

interface InferenceState extends ShapeInference {
  readonly tensors: Map<string, TensorInfo>
  readonly failures: Map<string, SluiceError>
  readonly nodeMacs: Map<NodeProto, number>
  /** Tensors that depend on no input. */
  readonly weights: Set<string>
}

function createInferenceState(): InferenceState {
  return { tensors: new Map(), failures: new Map(), nodeMacs: new Map(), weights: new Set() }
}

function describeWeights({ graph, externalData }: OnnxModel, state: InferenceState): void {
  const add = (name: string, dims: readonly number[], describe: () => TensorInfo) => {
    state.weights.add(name)
    record(state, [name], () => {
      if (isShape(dims)) return [describe()]
      throw new UnsupportedGraphError(
        `Weight '${name}' has the impossible shape [${dims.join(', ')}]. Export it again.`,
      )
    })
  }
  for (const proto of graph.initializer) add(proto.name, dimsOf(proto), () => describeTensorProto(proto, externalData))
  for (const { values, dims } of graph.sparseInitializer) {
    const sizes = dims.map(Number)
    add(values?.name ?? '', sizes, () => describeTensor(dataTypeOf(values?.dataType ?? 0) ?? null, sizes))
  }
}

function inferNode(model: OnnxModel, node: NodeProto, state: InferenceState): readonly TensorInfo[] {
  const rule = findOperatorRule(node)
  if (rule === undefined) {
    const operator = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`
    throw new UnknownOperatorError(operator, node.name)
  }
  const inputs = node.input.map((name) => (name === '' ? undefined : findTensor(name, node, state)))
  const context = createOperatorContext(model, node, inputs)
  const outputs = rule.infer(context)
  if (outputs.length < node.output.length) throw context.error(`it names ${node.output.length} outputs`)
  const odd = outputs.find(({ dims }) => !isShape(dims))
  if (odd !== undefined) throw context.error(`an output would have the shape [${odd.dims.join(', ')}]`)
  const isWeight = node.output.some((name) => state.weights.has(name))
  state.nodeMacs.set(node, isWeight ? 0 : (rule.countMacs?.(context, outputs) ?? 0))
  return outputs
}

function findTensor(name: string, node: NodeProto, { tensors, failures }: InferenceState): TensorInfo {
  const found = tensors.get(name)
  if (found !== undefined) return found
  throw (
    failures.get(name) ??
    new UnsupportedGraphError(`Node '${node.name}' reads '${name}' before anything makes it. Export the model again.`)
  )
}

/** Stores what `describe` tells of the named tensors, or why it cannot. */
function record(state: InferenceState, names: readonly string[], describe: () => readonly TensorInfo[]): void {
  try {
    const infos = describe()
    for (const [index, name] of names.entries()) {
      const info = infos[index]
      if (info !== undefined && name !== '') state.tensors.set(name, info)
    }
  } catch (error) {
    if (!SluiceError.isInstance(error)) throw error
    for (const name of names.filter(Boolean)) state.failures.set(name, error)
  }
}

function isShape(dims: readonly number[]): boolean {
  return dims.every((size) => Number.isSafeInteger(size) && size >= 0) && Number.isSafeInteger(countElements(dims))
}

function addAll(set: Set<string>, values: readonly string[]): void {
  for (const value of values) set.add(value)
}
