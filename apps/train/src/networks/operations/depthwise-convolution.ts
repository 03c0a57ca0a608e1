import { countWindows, readMap, type Window } from '../feature-shape.ts'
import { convolveDepthwise } from '../gradients/convolve.ts'
import type { OperationBase, OperationRule } from './operation-rule.ts'
import { heInitial, writePaddedLayer } from './windows.ts'

/** A 2-D convolution of every channel by itself with one filter, without a bias. */
export interface DepthwiseConvolution extends OperationBase, Window {
  readonly kind: 'depthwise-convolution'
}

export const depthwiseConvolutionRule: OperationRule<DepthwiseConvolution> = {
  shape(operation, [input = []]) {
    const { height, width, channels } = readMap(input)
    return [countWindows(height, operation), countWindows(width, operation), channels]
  },
  macs({ size }, _inputs, [height = 0, width = 0, channels = 0]) {
    return height * width * channels * size * size
  },
  parameters({ name, size }, [input = []]) {
    const shape = [size, size, readMap(input).channels, 1]
    return [{ name: `${name}.weight`, shape, trained: true, decays: true, initial: heInitial(size * size) }]
  },
  forward(operation, { tf, map, parameter }) {
    return convolveDepthwise(tf, map(), parameter(`${operation.name}.weight`), operation)
  },
  writeOnnx({ name, inputs: [input = ''], size, stride, padding }, writer, [shape = []]) {
    const weight = writer.parameter(`${name}.weight`, [2, 3, 0, 1])
    const window = { kernel_shape: [size, size], strides: [stride, stride], pads: Array(4).fill(padding) }
    writer.node('Conv', [input, weight], { ...window, group: readMap(shape).channels }, name)
  },
  writeLayers(operation, writer) {
    const weights = [['depthwise_kernel', `${operation.name}.weight`]] as const
    const config = { depth_multiplier: 1, use_bias: false }
    writePaddedLayer(writer, operation, { className: 'DepthwiseConv2D', config, weights })
  },
}
