import { InvalidNetworkConfigError } from '../errors.ts'
import { countWindows, type FeatureShape, readMap } from '../feature-shape.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'

/**
 * Every `stride`-th pixel with zero channels on both sides up to `channels`: the shortcut without parameters (He et al.,
 * arXiv 1512.03385, section 4.2, option A).
 */
export interface Subsample extends OperationBase {
  readonly kind: 'subsample'
  readonly stride: number
  /** Of the result. */
  readonly channels: number
}

export const subsampleRule: OperationRule<Subsample> = {
  shape({ stride, channels }, [input = []]) {
    const map = readMap(input)
    if (channels < map.channels) {
      throw new InvalidNetworkConfigError(`a shortcut cannot drop channels (${map.channels} to ${channels}).`)
    }
    const window = { size: 1, stride, padding: 0 }
    return [countWindows(map.height, window), countWindows(map.width, window), channels]
  },
  macs: () => 0,
  parameters: () => [],
  forward(operation, { tf, map }) {
    const input = map()
    const [before, after] = countZeroChannels(operation, input.shape.slice(1))
    // An average over one pixel, because a strided slice has no gradient in TensorFlow.js.
    const pixels = tf.avgPool(input, 1, operation.stride, 'valid')
    return tf.pad(pixels, [
      [0, 0],
      [0, 0],
      [0, 0],
      [before, after],
    ])
  },
  writeOnnx(operation, writer, [input = []]) {
    const { name, stride, inputs } = operation
    const [before, after] = countZeroChannels(operation, input)
    const pixels = writer.node('AveragePool', inputs, { kernel_shape: [1, 1], strides: [stride, stride] })
    writer.node('Pad', [pixels, writer.integers([0, before, 0, 0, 0, after, 0, 0])], {}, name)
  },
  writeLayers(operation, writer, [input = []]) {
    const { name, inputs, stride } = operation
    const window = { pool_size: [1, 1], strides: [stride, stride], padding: 'valid' }
    const pixels = writer.layer({ name: `${name}.pixels`, className: 'AveragePooling2D', inputs, config: window })
    // Keras pads no channels, so they take the place of the columns meanwhile.
    const swap = { className: 'Permute', config: { dims: [1, 3, 2] } }
    const swapped = writer.layer({ ...swap, name: `${name}.swapped`, inputs: [pixels] })
    const config = { padding: [[0, 0], countZeroChannels(operation, input)] }
    const padded = writer.layer({ name: `${name}.padding`, className: 'ZeroPadding2D', inputs: [swapped], config })
    writer.layer({ ...swap, name, inputs: [padded] })
  },
}

function countZeroChannels({ channels }: Subsample, input: FeatureShape): [before: number, after: number] {
  const missing = channels - readMap(input).channels
  const before = Math.floor(missing / 2)
  return [before, missing - before]
}
