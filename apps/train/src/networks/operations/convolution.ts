import { countWindows, readMap, type Window } from '../feature-shape.ts'
import { convolve } from '../gradients/convolve.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'
import { heInitial, writePaddedLayer } from './windows.ts'

/** A 2-D convolution without a bias, as batch normalisation follows or precedes it everywhere. */
export interface Convolution extends OperationBase, Window {
  readonly kind: 'convolution'
  /** Of the result. */
  readonly channels: number
}

export const convolutionRule: OperationRule<Convolution> = {
  shape(operation, [input = []]) {
    const { height, width } = readMap(input)
    return [countWindows(height, operation), countWindows(width, operation), operation.channels]
  },
  macs({ size, channels }, [input = []], [height = 0, width = 0]) {
    return height * width * channels * size * size * readMap(input).channels
  },
  parameters({ name, size, channels }, [input = []]) {
    const from = readMap(input).channels
    const initial = heInitial(size * size * from)
    return [{ name: `${name}.weight`, shape: [size, size, from, channels], trained: true, decays: true, initial }]
  },
  forward(operation, { tf, map, parameter }) {
    return convolve(tf, map(), parameter(`${operation.name}.weight`), operation)
  },
  writeOnnx({ name, inputs: [input = ''], size, stride, padding }, writer) {
    const weight = writer.parameter(`${name}.weight`, [3, 2, 0, 1])
    const attributes = { kernel_shape: [size, size], strides: [stride, stride], pads: Array(4).fill(padding) }
    writer.node('Conv', [input, weight], attributes, name)
  },
  writeLayers(operation, writer) {
    const { name, channels } = operation
    const weights = [['kernel', `${name}.weight`]] as const
    writePaddedLayer(writer, operation, {
      className: 'Conv2D',
      config: { filters: channels, use_bias: false },
      weights,
    })
  },
}
