import { create } from '@bufbuild/protobuf'
import { isBlockedConvolution, layoutPrefix } from './blocked-convolution.ts'
import { replaceGraphParts } from './edit-graph.ts'
import { type NodeProto, NodeProtoSchema } from './generated/onnx_pb.ts'
import { createAttribute } from './graph-builder.ts'
import { createGraphView, type GraphView } from './graph-view.ts'
import type { OnnxModel } from './onnx-model.ts'
import { replaceSubsampling } from './subsampling.ts'

/** Operators that ONNX Runtime cannot run in blocked layout, so that shortcuts lose it there. */
const plainLayoutOperators = new Set(['Pad', 'Slice', 'Transpose', 'Reshape'])

/**
 * A copy of a model that ONNX Runtime's CPU provider on x86-64 runs faster; the answers stay the same but for rounding.
 *
 * There convolutions work on maps with blocked channels (NCHWc), and an addition joins them only if both its operands
 * have that layout. A shortcut that starts at a stage's input, or at a `Pad` or `Slice`, has not; every block behind it
 * then converts its maps to and fro and adds outside the convolution. An average over one pixel changes no value, but
 * converts the layout once. Measured on ResNet-56 in four stages at batch 16, one thread: 3.5 % slower than unsplit
 * without hints, 0.2 % with them.
 *
 * A shortcut that takes every other row and column by `Slice`, or adds channels by `Pad`, does so in that layout
 * ({@link replaceSubsampling}). Measured on ResNet-56 (option A) unsplit at batch 16, two threads: 6 % less time than for
 * the file as it stands, of which strides are 1.3 % and padding is 0.5 %. Of no use to other execution providers, which
 * would pay for the additional nodes.
 */
export function addLayoutHints(model: OnnxModel): OnnxModel {
  return convertShortcuts(replaceSubsampling(model))
}

function convertShortcuts(model: OnnxModel): OnnxModel {
  const view = createGraphView(model)
  const hinted = new Set(view.dataNodes.flatMap((node) => shortcutsInPlainLayout(node, view, model)))
  if (hinted.size === 0) return model
  const node = view.liveNodes.flatMap((candidate) => {
    const hints = candidate.output.filter((output) => hinted.has(output)).map(createHint)
    return [readHints(candidate, hinted), ...hints]
  })
  return replaceGraphParts(model, {
    node: [...view.inputs.filter((input) => hinted.has(input)).map(createHint), ...node],
  })
}

/** Operands of an addition beside a convolution that have the plain layout. */
function shortcutsInPlainLayout(node: NodeProto, view: GraphView, model: OnnxModel): string[] {
  if (node.opType !== 'Add' || !node.input.some((tensor) => isBlockedConvolution(view.producerOf(tensor), model)))
    return []
  return node.input.filter((tensor) => {
    const producer = view.producerOf(tensor)
    return producer === undefined ? view.inputs.includes(tensor) : plainLayoutOperators.has(producer.opType)
  })
}

function hintName(tensor: string): string {
  return `${layoutPrefix}${tensor}`
}

function createHint(tensor: string): NodeProto {
  const name = hintName(tensor)
  const attribute = [createAttribute('kernel_shape', [1, 1])]
  return create(NodeProtoSchema, { opType: 'AveragePool', name, input: [tensor], output: [name], attribute })
}

function readHints(node: NodeProto, hinted: ReadonlySet<string>): NodeProto {
  if (!node.input.some((tensor) => hinted.has(tensor))) return node
  const input = node.input.map((tensor) => (hinted.has(tensor) ? hintName(tensor) : tensor))
  return Object.assign(create(NodeProtoSchema), node, { input })
}
