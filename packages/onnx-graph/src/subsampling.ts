import { create } from '@bufbuild/protobuf'
import { channelBlock, isBlockedConvolution } from './blocked-convolution.ts'
import { replaceGraphParts } from './edit-graph.ts'
import { type NodeProto, NodeProtoSchema } from './generated/onnx_pb.ts'
import { createAttribute } from './graph-builder.ts'
import { createGraphView, type GraphView } from './graph-view.ts'
import type { OnnxModel } from './onnx-model.ts'
import { inferShapes, type ShapeInference } from './shape-inference.ts'

/** Operators that yield the blocked layout where they read it. */
const layoutKeepers = new Set(['Add', 'AveragePool', 'BatchNormalization', 'MaxPool', 'Relu'])

/** So many that a size which grows with them exceeds every end that a file states as a number. */
const manyRows = 2 ** 20

/** Every `strides[0]`-th row and `strides[1]`-th column of a map `[batch, channels, height, width]`, from the first on. */
interface Subsampling {
  readonly map: string
  readonly strides: readonly [number, number]
}

/**
 * A copy of a model where an average over one pixel with strides subsamples a map of the blocked layout instead of
 * `Slice`, which ONNX Runtime has in the plain layout only. Of several in a row, each reads the first one's map. The
 * values stay the same, infinite ones too, which a maximum over one pixel would change there. The very same model where
 * there is nothing to replace.
 */
export function poolSubsampling(model: OnnxModel): OnnxModel {
  const found = findSubsampling(model)
  if (found.size === 0) return model
  const node = model.graph.node.map((candidate) => {
    const subsampling = found.get(candidate.output[0] ?? '')
    return subsampling === undefined ? candidate : createPooling(candidate, subsampling)
  })
  return removeUnread(replaceGraphParts(model, { node }))
}

/** By the tensor that a `Slice` yields. */
function findSubsampling(model: OnnxModel): Map<string, Subsampling> {
  const found = new Map<string, Subsampling>()
  const view = createGraphView(model)
  if (!view.dataNodes.some(({ opType }) => opType === 'Slice')) return found
  const shapes = inferShapes(model, { batch: manyRows })
  const blocked = new Set(convolvedInputs(view, model, shapes))
  for (const node of view.dataNodes) {
    const [[map = ''], [output = '']] = [node.input, node.output]
    const strides = blocked.has(map) ? readStrides(node, shapes) : null
    if (strides !== null) found.set(output, continueFrom(found.get(map), { map, strides }))
    const keepsLayout = layoutKeepers.has(node.opType) && node.input.some((tensor) => blocked.has(tensor))
    if (strides !== null || keepsLayout || isBlockedConvolution(node, model)) blocked.add(output)
  }
  return found
}

/** Inputs that a convolution takes to the blocked layout anyway. */
function convolvedInputs(view: GraphView, model: OnnxModel, { tensors }: ShapeInference): string[] {
  const convolutions = view.dataNodes.filter((node) => isBlockedConvolution(node, model))
  const convolved = new Set(convolutions.map(({ input }) => input[0]))
  return view.inputs.filter((input) => convolved.has(input) && Number(tensors.get(input)?.dims[1]) % channelBlock === 0)
}

/** The strides of a `Slice` that does nothing but subsample a map; null for any other. */
function readStrides({ domain, opType, input }: NodeProto, { tensors }: ShapeInference): [number, number] | null {
  if (domain !== '' || opType !== 'Slice') return null
  const [map = '', ...ranges] = input
  const { type, dims } = tensors.get(map) ?? {}
  const [starts, ends, axes, steps] = ranges.map((name) => Array.from(tensors.get(name)?.value?.data ?? [], Number))
  if (type !== 'float32' || dims?.length !== 4 || !axes?.length || !steps) return null
  const strides: [number, number] = [1, 1]
  for (const [index, axis] of axes.entries()) {
    const spatialAxis = axis < 0 ? axis + 2 : axis - 2
    const [start, end = 0, step = 0] = [starts?.[index], ends?.[index], steps[index]]
    if ((spatialAxis !== 0 && spatialAxis !== 1) || start !== 0 || end < Number(dims[spatialAxis + 2]) || step < 1)
      return null
    strides[spatialAxis] = step
  }
  return strides.some((stride) => stride > 1) ? strides : null
}

function continueFrom(before: Subsampling | undefined, { map, strides: [rows, columns] }: Subsampling): Subsampling {
  if (before === undefined) return { map, strides: [rows, columns] }
  return { map: before.map, strides: [before.strides[0] * rows, before.strides[1] * columns] }
}

function createPooling({ name, output }: NodeProto, { map, strides }: Subsampling): NodeProto {
  const attribute = [createAttribute('kernel_shape', [1, 1]), createAttribute('strides', strides)]
  return create(NodeProtoSchema, { opType: 'AveragePool', name, input: [map], output, attribute })
}

/** A copy of a model without the nodes and initialisers that its outputs do not need. */
function removeUnread(model: OnnxModel): OnnxModel {
  const { graph } = model
  const view = createGraphView(model)
  const read = new Set([...view.liveNodes.flatMap(view.inputsOf), ...view.outputs])
  const unread = new Set(graph.initializer.map(({ name }) => name).filter((name) => !read.has(name)))
  const isKept = ({ name }: { readonly name: string }) => !unread.has(name)
  return replaceGraphParts(model, {
    node: [...view.liveNodes],
    initializer: graph.initializer.filter(isKept),
    input: graph.input.filter(isKept),
  })
}
