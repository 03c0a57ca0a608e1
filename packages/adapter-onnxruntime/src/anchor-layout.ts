import type { StageDescription } from '@sluice/core'
import { createGraphBuilder, type GraphProto, type NodeProto, readOnnxModel, writeOnnxModel } from '@sluice/onnx-graph'

/** Operators that ONNX Runtime runs in the blocked layout, whatever the layout of their input. */
const entering = new Set(['Conv', 'AveragePool', 'MaxPool', 'GlobalAveragePool', 'GlobalMaxPool'])

/** Operators that it runs in the blocked layout only when all their inputs have it. */
const following = new Set(['Add', 'BatchNormalization', 'Concat', 'Mul', 'Relu', 'Sigmoid', 'Sum', 'Tanh'])

/**
 * Makes ONNX Runtime keep a stage in the blocked layout (NCHWc) of its convolutions on x64 processors.
 *
 * It joins `Relu(Add(Conv(x), shortcut))` into one kernel only where the shortcut is in that layout already, and a
 * graph's input never is: in a stage that begins with a residual block, every block then runs as convolution, two
 * layout changes, addition and activation, 9 % slower on ResNet-56. Pooling does take a tensor to the blocked layout, so
 * a branching one that is not in it passes through an average over windows of 1x1, which changes no value, NaN included.
 *
 * @param model a serialised stage; returned as it is where there is nothing to do
 * @throws InvalidOnnxFileError
 */
export function anchorLayout(model: Uint8Array, { file, input }: Pick<StageDescription, 'file' | 'input'>): Uint8Array {
  const parsed = readOnnxModel(model, { source: `'${file}'` })
  const { graph } = parsed
  const nodes: NodeProto[] = []
  const blocked = new Set<string>()
  const anchorIfNeeded = (tensor: string) => {
    if (blocked.has(tensor) || !branchesAsImage(graph, tensor)) return
    const anchor = createAnchor(tensor, nodes.length)
    for (const node of graph.node) replaceInput(node, tensor, anchor.output[0] as string)
    nodes.push(anchor)
    blocked.add(anchor.output[0] as string)
  }
  anchorIfNeeded(input)
  for (const node of graph.node) {
    nodes.push(node)
    if (runsBlocked(node, blocked)) for (const tensor of node.output) blocked.add(tensor)
    for (const tensor of node.output) anchorIfNeeded(tensor)
  }
  if (nodes.length === graph.node.length) return model
  graph.node = nodes
  return writeOnnxModel(parsed)
}

function runsBlocked({ opType, input }: NodeProto, blocked: ReadonlySet<string>): boolean {
  const data = opType === 'BatchNormalization' ? input.slice(0, 1) : input
  return entering.has(opType) || (following.has(opType) && data.every((tensor) => blocked.has(tensor)))
}

/** Whether several nodes read a tensor that is known to be `[rows, channels, height, width]`. */
function branchesAsImage(graph: GraphProto, tensor: string): boolean {
  const readers = graph.node.filter(({ input }) => input.includes(tensor))
  if (readers.length < 2) return false
  const isConvolved = readers.some(({ opType, input }) => opType === 'Conv' && input[0] === tensor)
  return (isConvolved && !has1dOr3dConvolution(readers)) || countDimensions(graph, tensor) === 4
}

function has1dOr3dConvolution(nodes: readonly NodeProto[]): boolean {
  return nodes.some(({ attribute }) => attribute.some(({ name, ints }) => name === 'kernel_shape' && ints.length !== 2))
}

/** Declared number of dimensions of a graph input; undefined for another tensor. */
function countDimensions({ input }: GraphProto, name: string): number | undefined {
  const type = input.find((value) => value.name === name)?.type?.value
  return type?.case === 'tensorType' ? type.value.shape?.dim.length : undefined
}

function createAnchor(tensor: string, index: number): NodeProto {
  const builder = createGraphBuilder({ name: 'anchor', prefix: `sluice_anchor_${index}_` })
  builder.node('AveragePool', [tensor], { kernel_shape: [1, 1] })
  return builder.buildGraph().node[0] as NodeProto
}

function replaceInput(node: NodeProto, from: string, to: string): void {
  node.input = node.input.map((name) => (name === from ? to : name))
}
