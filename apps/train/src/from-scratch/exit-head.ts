import type { Tfjs } from '@sluice/adapter-tfjs'
import type { PoolingDescription } from '@sluice/core'
import { createRandom } from '@sluice/datasets'
import { countPooledFeatures, type HeadWeights } from '@sluice/onnx-graph'
import type { Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs'
import type { BlockOutput } from '../networks/network-plan.ts'
import type { TrainedVariable } from './named-variables.ts'
import { poolMap } from './pool-map.ts'

/** A head that is trained with the network below it. */
export interface ExitHead {
  /** Name of the block at whose output it stands. */
  readonly block: string
  readonly parameters: readonly TrainedVariable[]
  /** Class scores `[batch, classes]` from the block's output `[batch, height, width, channels]`. */
  forward(map: Tensor4D): Tensor2D
  /** The head with the given values of its parameters, as stages of a bundle hold it. */
  describe(values: ReadonlyMap<string, Float32Array>): HeadWeights
}

/** What a head at a block is like. */
export interface ExitHeadOptions {
  readonly block: BlockOutput
  /** Windows per axis of the average and maximum pooling. */
  readonly poolSize: number
  /** Width of the hidden layer; null for a linear head. */
  readonly hidden: number | null
  readonly classes: number
  readonly seed: number
}

interface DenseLayer {
  readonly inputs: number
  readonly outputs: number
  readonly activation: 'relu' | 'none'
  readonly weights: TrainedVariable
  readonly bias: TrainedVariable
}

/**
 * A head with normal weights of variance 2 / inputs in its hidden layer (He et al., arXiv 1502.01852) and zeros in its
 * last, so that all classes start level. The caller disposes the variables of `parameters`.
 */
export function createExitHead(tf: Tfjs, { block, poolSize, hidden, classes, seed }: ExitHeadOptions): ExitHead {
  const pooling: PoolingDescription = { size: poolSize, kind: 'average+maximum' }
  const [height = 1, width = 1, channels = 1] = block.shape
  const features = countPooledFeatures([channels, height, width], pooling)
  const widths = hidden === null ? [features, classes] : [features, hidden, classes]
  const layers = widths.slice(1).map((outputs, index): DenseLayer => {
    const inputs = widths[index] ?? 0
    const isLast = index === widths.length - 2
    const random = createRandom(seed, index)
    const deviation = isLast ? 0 : Math.sqrt(2 / inputs)
    const initial = Float32Array.from({ length: inputs * outputs }, () => deviation * random.normal())
    const create = (name: string, draw: () => Tensor, decays: boolean): TrainedVariable => {
      return { name: `heads/${block.name}/${name}_${index}`, variable: tf.tidy(() => tf.variable(draw())), decays }
    }
    return {
      inputs,
      outputs,
      activation: isLast ? 'none' : 'relu',
      weights: create('weights', () => tf.tensor2d(initial, [inputs, outputs]), true),
      bias: create('bias', () => tf.zeros([outputs]), false),
    }
  })
  return {
    block: block.name,
    parameters: layers.flatMap(({ weights, bias }) => [weights, bias]),
    forward: (map) => tf.tidy(() => layers.reduce(applyLayer, poolMap(tf, map, poolSize))),
    describe: (values) => ({
      pooling,
      layers: layers.map(({ inputs, outputs, activation, weights, bias }) => {
        const read = ({ name }: TrainedVariable) => values.get(name) ?? new Float32Array()
        return { inputs, outputs, activation, weights: read(weights), bias: read(bias) }
      }),
    }),
  }
}

function applyLayer(rows: Tensor2D, { weights, bias, activation }: DenseLayer): Tensor2D {
  const sums: Tensor2D = rows.matMul<Tensor2D>(weights.variable as Variable).add(bias.variable)
  return activation === 'relu' ? sums.relu() : sums
}
