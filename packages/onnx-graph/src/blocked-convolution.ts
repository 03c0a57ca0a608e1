import type { NodeProto } from './generated/onnx_pb.ts'
import type { OnnxModel } from './onnx-model.ts'

/** ONNX Runtime blocks channels by 8 or 16; it leaves maps of other channel counts as they are. */
export const channelBlock = 16

/** Begins the names of what layout hints add. */
export const layoutPrefix = 'sluice:layout/'

/** Whether ONNX Runtime yields a node's output, `[batch, channels, height, width]`, in its blocked layout (NCHWc). */
export function isBlockedConvolution(node: NodeProto | undefined, { graph }: OnnxModel): boolean {
  if (node?.opType !== 'Conv') return false
  const [channels = 0n, ...kernel] = graph.initializer.find(({ name }) => name === node.input[1])?.dims ?? []
  return kernel.length === 3 && Number(channels) % channelBlock === 0
}
