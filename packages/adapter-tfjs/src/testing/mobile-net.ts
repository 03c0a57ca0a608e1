import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import type { Tfjs } from '../tfjs.ts'

/** Stride and output channels of each depthwise separable block. */
const blocks = [
  [1, 8],
  [2, 12],
  [1, 12],
] as const

/**
 * A small network of MobileNet v1's shape (Howard et al. 2017, arXiv 1704.04861, table 1) for 16x16 images and 5 classes:
 * a strided convolution, depthwise separable blocks with batch normalisation and ReLU6, average pooling, and a 1x1
 * convolution as classifier.
 */
export function createMobileNet(tf: Tfjs): LayersModel {
  const { layers } = tf
  const convolution = (name: string, filters: number, kernelSize: number, strides: number) =>
    layers.conv2d({ name, filters, kernelSize, strides, padding: 'same', useBias: false, ...seeded(tf, name) })
  const input = tf.input({ name: 'input_1', shape: [16, 16, 3] })
  const normalise = (x: SymbolicTensor, name: string) => {
    const normalised = layers.batchNormalization({ name: `${name}_bn`, epsilon: 1e-3 }).apply(x)
    return layers.reLU({ name: `${name}_relu`, maxValue: 6 }).apply(normalised) as SymbolicTensor
  }
  let x = normalise(convolution('conv1', 6, 3, 2).apply(input) as SymbolicTensor, 'conv1')
  blocks.forEach(([strides, filters], index) => {
    const depthwise = layers.depthwiseConv2d({
      name: `conv_dw_${index}`,
      kernelSize: 3,
      strides,
      padding: 'same',
      useBias: false,
      depthwiseInitializer: tf.initializers.glorotUniform({ seed: index }),
    })
    x = normalise(depthwise.apply(x) as SymbolicTensor, `conv_dw_${index}`)
    x = normalise(convolution(`conv_pw_${index}`, filters, 1, 1).apply(x) as SymbolicTensor, `conv_pw_${index}`)
  })
  const pooled = layers.globalAveragePooling2d({ name: 'global_average_pooling2d_1' }).apply(x)
  const pixel = layers.reshape({ name: 'reshape_1', targetShape: [1, 1, 12] }).apply(pooled)
  const dropped = layers.dropout({ name: 'dropout', rate: 0.001 }).apply(pixel)
  const logits = layers
    .conv2d({ name: 'conv_preds', filters: 5, kernelSize: 1, ...seeded(tf, 'conv_preds') })
    .apply(dropped)
  const output = layers.reshape({ name: 'reshape_2', targetShape: [5] }).apply(logits) as SymbolicTensor
  return tf.model({ name: 'mobilenet', inputs: input, outputs: output })
}

function seeded(tf: Tfjs, name: string) {
  const seed = Array.from(name).reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  return { kernelInitializer: tf.initializers.glorotUniform({ seed }) }
}
