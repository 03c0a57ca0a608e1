import { countTfjsFeatures, type TfjsNetwork, writeHeadFile } from '@sluice/adapter-tfjs'
import { gateFeaturePooling, gateFeaturesName, gateScoresName, scoresInputName } from '@sluice/onnx-graph'
import type { FrozenNetwork, PlacedHead, SplitNetwork, StagePlace } from './frozen-network.ts'

/**
 * A TensorFlow.js model as a network for gates. Its stages are pieces of the model's own file, which the bundle holds
 * unchanged with its weights; each head is a file of its own. Passes run on the network itself, so that closing one frees
 * nothing: the caller disposes the network.
 *
 * @throws UnknownTfjsOperatorError, when MACs or cuts are asked for, where an operator has no cost rule
 */
export function createTfjsFrozenNetwork(network: TfjsNetwork): FrozenNetwork {
  const { format, inputs, outputs, parameters } = network
  return {
    format,
    inputs,
    outputs,
    layout: inputs[0]?.shape.length === 4 ? 'NHWC' : 'none',
    parameters,
    get macs() {
      return network.macs
    },
    get cuts() {
      return network.cuts
    },
    openPass: async (taps) => ({ run: (images) => network.run(images, taps), close: async () => {} }),
    splitAtHeads: (heads) => splitAtHeads(network, heads),
  }
}

async function splitAtHeads(network: TfjsNetwork, heads: readonly PlacedHead[]): Promise<SplitNetwork> {
  const model = await network.files()
  const [file = ''] = Object.keys(model)
  const headFiles = heads.map(({ head }, index) => [`gate-${index}.safetensors`, writeHeadFile(head)] as const)
  const starts = [network.inputs[0]?.name ?? '', ...heads.map(({ cut }) => cut.tensor)]
  const stages = starts.map((input, index): StagePlace => {
    const placed = heads[index]
    if (placed === undefined) return { file, input, output: null, scores: network.outputs[0]?.name ?? '' }
    return {
      file,
      input,
      output: placed.cut.tensor,
      scores: gateScoresName(index),
      headFile: headFiles[index]?.[0],
      scoresInput: scoresInputName(placed.head, index),
      features: placed.yieldsFeatures ? describeFeatures(placed, index) : undefined,
    }
  })
  return { files: { ...model, ...Object.fromEntries(headFiles) }, stages }
}

function describeFeatures({ cut }: PlacedHead, index: number): StagePlace['features'] {
  return { output: gateFeaturesName(index), width: countTfjsFeatures(cut.shape, gateFeaturePooling) }
}
