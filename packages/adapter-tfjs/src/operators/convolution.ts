import { countElements } from '@sluice/core'
import type { CostRule } from './cost-rule.ts'

/** Filter `[...window, input channels / groups, output channels]`. */
const convolution: CostRule = {
  types: ['Conv1D', 'Conv2D', '_FusedConv2D'],
  countMacs: ({ operands: [, filter = []], output }) => countElements(output) * countElements(filter.slice(0, -1)),
}

/** Filter `[height, width, channels, multiplier]`. */
const depthwiseConvolution: CostRule = {
  types: ['DepthwiseConv2D', 'DepthwiseConv2d', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'],
  countMacs: ({ operands: [, filter = []], output }) => countElements(output) * countElements(filter.slice(0, 2)),
}

/** Depthwise filter as above, then a pointwise one `[1, 1, channels * multiplier, output channels]`. */
const separableConvolution: CostRule = {
  types: ['SeparableConv2D'],
  countMacs: ({ operands: [, depthwise = [], pointwise = []], output }) =>
    countElements(output.slice(0, -1)) * (countElements(depthwise) + countElements(pointwise)),
}

/** Filter `[height, width, output channels, input channels]`: every input element meets a window of each output channel. */
const transposedConvolution: CostRule = {
  types: ['Conv2DTranspose'],
  countMacs: ({ operands: [input = [], filter = []] }) => countElements(input) * countElements(filter.slice(0, -1)),
}

/** A transposed convolution in a graph; its inputs are the output's shape, the filter, the data. */
const convolutionBackpropInput: CostRule = {
  types: ['Conv2DBackpropInput'],
  countMacs: ({ operands: [, filter = [], input = []] }) => countElements(input) * countElements(filter.slice(0, -1)),
}

/** The rules of convolutions. */
export const convolutionRules: readonly CostRule[] = [
  convolution,
  depthwiseConvolution,
  separableConvolution,
  transposedConvolution,
  convolutionBackpropInput,
]
