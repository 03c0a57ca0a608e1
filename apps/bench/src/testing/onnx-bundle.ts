import type { Bundle } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import { createGraphBuilder, type OnnxModel, writeOnnxModel } from '@sluice/onnx-graph'

/** Two stages: `middle = input + input`, `scores = middle * middle`; the gate between them is off. */
export function createOnnxBundle(): Promise<Bundle> {
  return createBundle(
    [
      ['Add', 'input', 'middle'],
      ['Mul', 'middle', 'scores'],
    ].map(([operator = '', input = '', output = '']) => {
      const builder = createGraphBuilder({ name: operator })
      builder.input(input, 'float32', ['batch', 2])
      builder.node(operator, [input, input], {}, output)
      builder.output(output, 'float32', ['batch', 2])
      return builder.buildModel()
    }),
  )
}

/** One stage, `scores = flatten(maps + convolution(maps))`, the convolution as wide as layout hints ask. */
export function createResidualBundle(): Promise<Bundle> {
  const channels = 16
  const builder = createGraphBuilder({ name: 'residual' })
  const maps = builder.input('maps', 'float32', ['batch', channels, 2, 2])
  const data = Float32Array.from({ length: channels * channels }, (_, index) => Math.sin(index))
  const kernel = builder.initializer('kernel', { type: 'float32', dims: [channels, channels, 1, 1], data })
  builder.node('Flatten', [builder.node('Add', [maps, builder.node('Conv', [maps, kernel])])], {}, 'scores')
  builder.output('scores', 'float32', ['batch', channels * 4])
  return createBundle([builder.buildModel()])
}

/** A bundle of these stages; of its manifest, their files alone are true. */
async function createBundle(models: readonly OnnxModel[]): Promise<Bundle> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [2], classCount: 2 })
  const { manifest } = await createReferenceBundle(network)
  const stages = manifest.stages.slice(-models.length).map((stage, index) => ({ ...stage, file: String(index) }))
  const files = models.map(writeOnnxModel)
  return {
    manifest: { ...manifest, format: 'onnx', stages },
    read: async (path) => files[Number(path)] ?? new Uint8Array(),
  }
}
