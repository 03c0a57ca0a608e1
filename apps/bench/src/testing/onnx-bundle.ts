import type { Bundle } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'

/** Two stages: `middle = input + input`, `scores = middle * middle`; the gate between them is off. */
export async function createOnnxBundle(): Promise<Bundle> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [2], classCount: 2 })
  const { manifest } = await createReferenceBundle(network)
  const files = [
    ['Add', 'input', 'middle'],
    ['Mul', 'middle', 'scores'],
  ].map(([operator = '', input = '', output = '']) => {
    const builder = createGraphBuilder({ name: operator })
    builder.input(input, 'float32', ['batch', 2])
    builder.node(operator, [input, input], {}, output)
    builder.output(output, 'float32', ['batch', 2])
    return writeOnnxModel(builder.buildModel())
  })
  const stages = manifest.stages.map((stage, index) => ({ ...stage, file: String(index) }))
  return {
    manifest: { ...manifest, format: 'onnx', stages },
    read: async (path) => files[Number(path)] ?? new Uint8Array(),
  }
}
