import { create } from '@bufbuild/protobuf'
import { channelBlock, isBlockedConvolution, layoutPrefix } from './blocked-convolution.ts'
import { replaceGraphParts } from './edit-graph.ts'
import { type NodeProto, NodeProtoSchema, type TensorProto } from './generated/onnx_pb.ts'
import { createAttribute } from './graph-builder.ts'
import { createGraphView, type GraphView } from './graph-view.ts'
import type { OnnxModel } from './onnx-model.ts'
import { removeUnread } from './remove-unread.ts'
import { inferShapes, type ShapeInference } from './shape-inference.ts'
import { convertTensorToTensorProto } from './tensor-proto.ts'

/** Operators that yield the blocked layout where they read it. */
const layoutKeepers = new Set(['Add', 'AveragePool', 'BatchNormalization', 'MaxPool', 'Relu'])

/** Most channels that a copying convolution yields; it computes as many times its inputs for every pixel. */
const mostCopiedChannels = 128

/** So many that a size which grows with them exceeds every end that a file states as a number. */
const manyRows = 2 ** 20

/** Every `strides[0]`-th row and `strides[1]`-th column of a map `[batch, channels, height, width]`, from the first on. */
interface Subsampling {
  readonly map: string
  readonly strides: readonly [number, number]
  /** Channels of the map, and those of zeros in front of and behind them; absent where none are added. */
  readonly padding?: { readonly channels: number; readonly before: number; readonly after: number }
}

/**
 * A copy of a model that subsamples and pads maps of the blocked layout without `Slice` and `Pad`, which ONNX Runtime has in
 * the plain layout only. An average over one pixel with strides takes the place of slices; the values stay the same, infinite
 * ones too, which a maximum over one pixel would change there. Where channels of zeros are added, a convolution over one
 * pixel that copies channels does both, up to {@link mostCopiedChannels}; finite values stay the same in single precision. Of several
 * nodes in a row, each reads the first one's map. The very same model where there is nothing to replace.
 */
export function replaceSubsampling(model: OnnxModel): OnnxModel {
  const found = findSubsampling(model)
  if (found.size === 0) return model
  const weights: TensorProto[] = []
  const node = model.graph.node.map((candidate) => {
    const subsampling = found.get(candidate.output[0] ?? '')
    if (subsampling === undefined) return candidate
    if (subsampling.padding === undefined) return replaceNode(candidate, 'AveragePool', subsampling)
    const copying = createCopyingWeights(`${layoutPrefix}${candidate.output[0]}/channels`, subsampling.padding)
    weights.push(copying)
    return replaceNode(candidate, 'Conv', subsampling, [copying.name])
  })
  return removeUnread(replaceGraphParts(model, { node, initializer: [...model.graph.initializer, ...weights] }))
}

/** By the tensor that a `Slice` or `Pad` yields. */
function findSubsampling(model: OnnxModel): Map<string, Subsampling> {
  const found = new Map<string, Subsampling>()
  const view = createGraphView(model)
  if (!view.dataNodes.some(({ opType }) => opType === 'Slice' || opType === 'Pad')) return found
  const shapes = inferShapes(model, { batch: manyRows })
  const blocked = new Set(convolvedInputs(view, model, shapes))
  for (const node of view.dataNodes) {
    const [[map = ''], [output = '']] = [node.input, node.output]
    const strides = blocked.has(map) ? readStrides(node, shapes) : null
    const padding = blocked.has(map) ? readPadding(node, shapes) : null
    if (strides !== null) found.set(output, continueFrom(found.get(map), map, strides))
    if (padding !== null) found.set(output, { ...continueFrom(found.get(map), map, [1, 1]), padding })
    const keepsLayout = layoutKeepers.has(node.opType) && node.input.some((tensor) => blocked.has(tensor))
    if (found.has(output) || keepsLayout || isBlockedConvolution(node, model)) blocked.add(output)
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

/** What a `Pad` adds that does nothing but add channels of zeros, to a multiple of blocks; null for any other. */
function readPadding({ domain, opType, input, attribute }: NodeProto, { tensors }: ShapeInference) {
  if (domain !== '' || opType !== 'Pad' || attribute.some(({ name, s }) => name === 'mode' && !isConstant(s)))
    return null
  const [map = '', pads = '', filling = '', axes = ''] = input
  const { type, dims } = tensors.get(map) ?? {}
  const sizes = Array.from(tensors.get(pads)?.value?.data ?? [], Number)
  const fillings = filling === '' ? [0] : Array.from(tensors.get(filling)?.value?.data ?? [Number.NaN], Number)
  const [, before = 0, , , , after = 0] = sizes
  const others = sizes.filter((_, index) => index % 4 !== 1)
  if (type !== 'float32' || dims?.length !== 4 || sizes.length !== 8 || axes !== '') return null
  if (fillings.some((value) => value !== 0) || others.some((size) => size !== 0)) return null
  const channels = Number(dims[1])
  const all = before + channels + after
  const isWhole = channels % channelBlock === 0 && all % channelBlock === 0 && all <= mostCopiedChannels
  return isWhole && before >= 0 && after >= 0 && all > channels ? { channels, before, after } : null
}

function isConstant(mode: Uint8Array): boolean {
  return new TextDecoder().decode(mode) === 'constant'
}

/** What subsampling a map comes to that itself is subsampled; one with added channels is where others start from. */
function continueFrom(before: Subsampling | undefined, map: string, strides: readonly [number, number]): Subsampling {
  if (before === undefined || before.padding !== undefined) return { map, strides }
  return { map: before.map, strides: [before.strides[0] * strides[0], before.strides[1] * strides[1]] }
}

/** Over one pixel, with the name and the output of the node that it replaces. @param weights names of what it reads besides */
function replaceNode(
  { name, output }: NodeProto,
  opType: 'AveragePool' | 'Conv',
  { map, strides }: Subsampling,
  weights: readonly string[] = [],
): NodeProto {
  const attribute = [createAttribute('kernel_shape', [1, 1]), createAttribute('strides', strides)]
  return create(NodeProtoSchema, { opType, name, input: [map, ...weights], output, attribute })
}

/** `[channels with the padding, channels, 1, 1]`: 1 where a channel goes, else 0. */
function createCopyingWeights(
  name: string,
  { channels, before, after }: NonNullable<Subsampling['padding']>,
): TensorProto {
  const dims = [before + channels + after, channels, 1, 1]
  const data = new Float32Array(channels * (before + channels + after))
  for (let channel = 0; channel < channels; channel++) data[(before + channel) * channels + channel] = 1
  return convertTensorToTensorProto(name, { type: 'float32', dims, data })
}
