import type { Tfjs } from '@sluice/adapter-tfjs'
import { createRandom } from '@sluice/datasets'
import type * as tf from '@tensorflow/tfjs'
import { parseNetworkConfig, planNetwork } from '../network-config.ts'
import { createTrainableNetwork, type TrainableNetwork } from '../trainable-network.ts'

/** Standard normal images `[rows, height, width, channels]`. */
export function createNoise(
  tf: Tfjs,
  rows: number,
  [height, width, channels]: readonly number[],
  seed = 1,
): tf.Tensor4D {
  const random = createRandom(seed)
  const shape: [number, number, number, number] = [rows, height ?? 1, width ?? 1, channels ?? 1]
  return tf.tensor4d(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, random.normal), shape)
}

/** A seeded network whose moving statistics are no longer the initial ones. */
export function createWarmNetwork(tf: Tfjs, config: unknown): TrainableNetwork {
  const plan = planNetwork(parseNetworkConfig(config))
  const network = createTrainableNetwork(tf, plan, 3)
  const images = createNoise(tf, 4, plan.input, 2)
  for (let step = 0; step < 3; step++) tf.dispose(network.forward(images, true, ['logits']))
  images.dispose()
  return network
}
