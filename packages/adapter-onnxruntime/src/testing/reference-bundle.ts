import type { Bundle } from '@sluice/core'
import { countClasses, type DenseLayer, describeReferenceNetwork, type ReferenceNetwork } from '@sluice/core/reference'
import { createGraphBuilder, type GraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'

/** A reference network written as an ONNX bundle in memory. */
export function createReferenceOnnxBundle(network: ReferenceNetwork): Bundle {
  const described = describeReferenceNetwork(network)
  const stages = described.stages.map((stage, index) => ({ ...stage, file: `stage-${index}.onnx` }))
  return {
    manifest: { ...described, format: 'onnx', stages, files: {} },
    async read(path) {
      return createStageModel(
        network,
        stages.findIndex(({ file }) => file === path),
      )
    },
  }
}

function createStageModel(network: ReferenceNetwork, index: number): Uint8Array {
  const description = describeReferenceNetwork(network).stages[index]
  const stage = network.stages[index]
  if (description === undefined || stage === undefined) throw new RangeError(`no stage ${index}`)
  const builder = createGraphBuilder({ name: `stage-${index}` })
  const { input, output, outputShape, scores, scoresInput, features } = description
  const inputShape = network.stages[index - 1]?.layers.at(-1)?.bias.length
  builder.input(input, 'float32', ['rows', ...(inputShape === undefined ? network.inputShape : [inputShape])])
  const flat = builder.node('Flatten', [input], { axis: 1 })
  appendLayers(builder, flat, stage.layers, output ?? scores)
  if (output !== null && stage.head !== null) {
    const seen =
      scoresInput === undefined
        ? output
        : builder.node('Concat', [output, builder.input(scoresInput, 'float32', ['rows', countClasses(network)])], {
            axis: 1,
          })
    appendLayers(builder, seen, stage.head, scores)
    builder.output(output, 'float32', ['rows', ...(outputShape ?? [])])
  }
  builder.output(scores, 'float32', ['rows', countClasses(network)])
  if (output !== null && features !== undefined) {
    builder.node('Identity', [output], {}, features.output)
    builder.output(features.output, 'float32', ['rows', features.width])
  }
  return writeOnnxModel(builder.buildModel())
}

const operators = { relu: 'Relu', tanh: 'Tanh', none: 'Identity' } as const

function appendLayers(builder: GraphBuilder, input: string, layers: readonly DenseLayer[], outputName: string): void {
  layers.reduce((previous, { weights, bias, activation }, index) => {
    const isLast = index === layers.length - 1
    const dims = [weights.length, weights[0]?.length ?? 0]
    const name = `${outputName}-${index}`
    const matrix = builder.initializer(`${name}-weights`, {
      type: 'float32',
      dims,
      data: Float32Array.from(weights.flat()),
    })
    const offset = builder.initializer(`${name}-bias`, {
      type: 'float32',
      dims: [bias.length],
      data: Float32Array.from(bias),
    })
    const sum = builder.node('Gemm', [previous, matrix, offset], { transB: 1 })
    return builder.node(operators[activation], [sum], {}, isLast ? outputName : undefined)
  }, input)
}
