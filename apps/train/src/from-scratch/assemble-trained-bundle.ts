import { InvalidArgumentError } from '@sluice/core'
import type { OnnxEngine, OnnxModel } from '@sluice/onnx-graph'
import { measureWeightNorms } from '@sluice/training'
import { type AssembledBundle, assembleBundle, type CutHead } from '../attach/assemble-bundle.ts'
import { describeInput } from '../attach/describe-input.ts'
import type { FrozenNetwork } from '../attach/frozen-network.ts'
import { createOnnxNetwork } from '../attach/onnx-network.ts'
import type { TrainConfig } from './train-config.ts'
import type { TrainedNetwork } from './train-network.ts'

/** A network trained with joint gates, and what a bundle says of it. */
export interface TrainedBundleOptions {
  readonly trained: TrainedNetwork
  /** The trained network as an ONNX model, without heads. */
  readonly model: OnnxModel
  /** Needed to open networks; nothing is run. */
  readonly engine: OnnxEngine
  readonly name: string
  readonly classes: readonly string[]
  readonly config: Pick<TrainConfig, 'mean' | 'std'>
}

/**
 * The bundle of a network and the heads that were trained with it. No gate fires until it is calibrated.
 * @throws InvalidArgumentError when the model has no cut where a head stands
 */
export async function assembleTrainedBundle(options: TrainedBundleOptions): Promise<AssembledBundle> {
  const { trained, model, engine, name, classes, config } = options
  const network = createOnnxNetwork(model, engine)
  const { mean, std } = config
  const input = describeInput(network, { ...(mean && { mean }), ...(std && { std }) })
  const heads = trained.heads.map((_, index) => describeHead(trained, network, index))
  return assembleBundle({ network, name, input, classes, heads, policy: 'softmax' })
}

function describeHead({ heads, metrics }: TrainedNetwork, network: FrozenNetwork, index: number): CutHead {
  const { block = '', head } = heads[index] ?? {}
  const cut = network.cuts.find(({ tensor }) => tensor === block)
  const { testAccuracies = null, trainAccuracies = [] } = metrics.at(-1) ?? {}
  const accuracies = testAccuracies ?? trainAccuracies
  if (cut === undefined || head === undefined) throw new InvalidArgumentError(`The model has no cut '${block}'.`)
  const lastLayer = head.layers.at(-1)
  return {
    cut,
    loss: 'cross-entropy',
    fitted: {
      head,
      parameters: head.layers.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0),
      weightNorms: lastLayer === undefined ? [] : measureWeightNorms(lastLayer),
      fitAccuracy: accuracies[index] ?? 0,
    },
  }
}
