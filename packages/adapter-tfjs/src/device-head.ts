import type { PoolingDescription } from '@sluice/core'
import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { HeadActivation, HeadFile } from './head-file.ts'
import { poolFeatures } from './pool-features.ts'
import type { Tfjs } from './tfjs.ts'

/** A gate's head in the memory of the active backend. */
export interface DeviceHead {
  /**
   * Class scores `[rows, classes]` of an activation; the caller owns them.
   * @param earlier the class scores of the gate in front, where the head takes them
   */
  computeScores(activation: Tensor, earlier?: Tensor): Tensor2D
  dispose(): void
}

/** Puts a head on the device; the caller disposes it. */
export function createDeviceHead(tf: Tfjs, { layers }: HeadFile, pooling: PoolingDescription): DeviceHead {
  const activate: Readonly<Record<HeadActivation, (x: Tensor2D) => Tensor2D>> = {
    relu: (x) => tf.relu(x),
    tanh: (x) => tf.tanh(x),
    none: (x) => x,
  }
  const loaded = layers.map(({ inputs, outputs, weights, bias, activation }) => ({
    weights: tf.tensor2d(weights, [inputs, outputs]),
    bias: tf.tensor1d(bias),
    activate: activate[activation],
  }))
  return {
    computeScores(activation, earlier) {
      return tf.tidy(() => {
        const pooled = poolFeatures(tf, activation, pooling)
        const features = earlier === undefined ? pooled : tf.concat2d([pooled, earlier as Tensor2D], 1)
        return loaded.reduce((row, layer) => layer.activate(row.matMul(layer.weights).add(layer.bias)), features)
      })
    },
    dispose() {
      for (const { weights, bias } of loaded) tf.dispose([weights, bias])
    },
  }
}
