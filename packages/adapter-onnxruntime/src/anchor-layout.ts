import type { StageDescription } from '@sluice/core'
import { createGraphBuilder, type GraphProto, readOnnxModel, writeOnnxModel } from '@sluice/onnx-graph'

/**
 * Makes ONNX Runtime keep a stage in the blocked layout (NCHWc) of its convolutions on x64 processors.
 *
 * It joins `Relu(Add(Conv(x), shortcut))` into one kernel only where the shortcut is in that layout already, and a
 * graph's input never is: in a stage that begins with a residual block, every block then runs as convolution, two
 * layout changes, addition and activation, 9 % slower on ResNet-56. Pooling does take an input to the blocked layout, so
 * where the input branches it passes through an average over windows of 1x1, which changes no value, NaN included.
 *
 * @param model a serialised stage; returned as it is where the input does not branch or is no image
 * @throws InvalidOnnxFileError
 */
export function anchorLayout(model: Uint8Array, { file, input }: Pick<StageDescription, 'file' | 'input'>): Uint8Array {
  const parsed = readOnnxModel(model, { source: `'${file}'` })
  const { graph } = parsed
  const consumers = graph.node.filter((node) => node.input.includes(input))
  if (consumers.length < 2 || countDimensions(graph, input) !== 4) return model
  const builder = createGraphBuilder({ name: 'anchor', prefix: 'sluice_anchor_' })
  const anchored = builder.node('AveragePool', [input], { kernel_shape: [1, 1] })
  for (const node of consumers) node.input = node.input.map((name) => (name === input ? anchored : name))
  graph.node.unshift(...builder.buildGraph().node)
  return writeOnnxModel(parsed)
}

/** Declared number of dimensions of a graph input; undefined where it is not declared. */
function countDimensions({ input }: GraphProto, name: string): number | undefined {
  const type = input.find((value) => value.name === name)?.type?.value
  return type?.case === 'tensorType' ? type.value.shape?.dim.length : undefined
}
