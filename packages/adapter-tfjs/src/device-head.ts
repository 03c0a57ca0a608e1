import type { PoolingDescription } from '@sluice/core'
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { HeadFile, HeadFileLayer } from './head-file.ts'
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
  const loaded = layers.map((layer) => loadLayer(tf, layer))
  const count = layers.findIndex(({ convolution }) => convolution === undefined)
  return {
    computeScores(activation, earlier) {
      return tf.tidy(() => {
        const pooled = poolFeatures(tf, activation, pooling)
        const seen = layers[0]?.convolution === undefined ? pooled : shapeMap(pooled, activation, layers[0])
        const convolved = loaded.slice(0, count).reduce<Tensor>((map, { apply }) => apply(map), seen)
        const flat = convolved.reshape<Tensor2D>([activation.shape[0] ?? 0, -1])
        const features = earlier === undefined ? flat : tf.concat2d([flat, earlier as Tensor2D], 1)
        return loaded.slice(count).reduce<Tensor>((row, { apply }) => apply(row), features) as Tensor2D
      })
    },
    dispose() {
      for (const { tensors } of loaded) tf.dispose(tensors)
    },
  }
}

/** A layer on the device; its tensors are the caller's. */
interface DeviceLayer {
  readonly apply: (values: Tensor) => Tensor
  readonly tensors: Tensor[]
}

function loadLayer(tf: Tfjs, { inputs, outputs, weights, bias, activation, convolution }: HeadFileLayer): DeviceLayer {
  const activate = { relu: tf.relu, tanh: tf.tanh, none: (values: Tensor) => values }[activation] as Activate
  const biases = tf.tensor1d(bias)
  if (convolution === undefined) {
    const matrix = tf.tensor2d(weights, [inputs, outputs])
    return { apply: (row) => activate(tf.add(tf.matMul(row, matrix), biases)), tensors: [matrix, biases] }
  }
  const kernel = tf.tensor4d(weights, [3, 3, inputs / 9, outputs])
  return {
    apply: (map) => activate(tf.add(tf.conv2d(map as Tensor4D, kernel, 2, 1, 'NHWC', 1, 'floor'), biases)),
    tensors: [kernel, biases],
  }
}

type Activate = (values: Tensor) => Tensor

/** `[rows, height, width, channels]` of pooled features, whose maxima follow their averages. */
function shapeMap(pooled: Tensor2D, { shape }: Tensor, { inputs, convolution }: HeadFileLayer): Tensor4D {
  const { height = 1, width = 1 } = convolution ?? {}
  const [rows, channels] = [shape[0] ?? 0, shape.at(-1) ?? 1]
  const parts = pooled.reshape([rows, inputs / 9 / channels, height * width, channels])
  return parts.transpose([0, 2, 1, 3]).reshape([rows, height, width, inputs / 9])
}
