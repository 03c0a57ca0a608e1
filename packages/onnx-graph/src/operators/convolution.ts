import { countElements } from '@sluice/core'
import { describeTensor } from '../tensor-info.ts'
import { sizeOf } from './axes.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'
import { countWindows, readWindow, sumPads } from './window.ts'

/** Position of the weight input [out channels, in channels / group, kernel...]; the data is input 0. */
function createConvolutionRule(type: string, weightIndex: number): OperatorRule {
  return {
    types: [type],
    infer(context) {
      const input = context.input(0)
      const weight = context.input(weightIndex)
      checkChannels(context, sizeOf(context, input, 1), sizeOf(context, weight, 1) * (context.int('group') ?? 1))
      const window = readWindow(context, weight.dims.slice(2), input.dims.slice(2))
      const spatial = countWindows(context, window, input.dims.slice(2))
      const type = context.node.opType === 'ConvInteger' ? 'int32' : input.type
      return [describeTensor(type, [sizeOf(context, input, 0), sizeOf(context, weight, 0), ...spatial])]
    },
    countMacs(context, [output]) {
      return countElements(output?.dims ?? []) * countElements(context.input(weightIndex).dims.slice(1))
    },
  }
}

/** Weight [in channels, out channels / group, kernel...]; every input element meets each of its kernel's weights once. */
const transposedConvolution: OperatorRule = {
  types: ['ConvTranspose'],
  infer(context) {
    const input = context.input(0)
    const weight = context.input(1)
    checkChannels(context, sizeOf(context, input, 1), sizeOf(context, weight, 0))
    const channels = sizeOf(context, weight, 1) * (context.int('group') ?? 1)
    return [describeTensor(input.type, [sizeOf(context, input, 0), channels, ...transposedSizes(context)])]
  },
  countMacs(context) {
    return countElements(context.input(0).dims) * countElements(context.input(1).dims.slice(1))
  },
}

/** The rules of convolutions: counted in full, padding included, bias left out. */
export const convolutionRules: readonly OperatorRule[] = [
  createConvolutionRule('Conv', 1),
  createConvolutionRule('ConvInteger', 1),
  createConvolutionRule('QLinearConv', 3),
  transposedConvolution,
]

function transposedSizes(context: OperatorContext): readonly number[] {
  const sizes = context.input(0).dims.slice(2)
  const declared = context.ints('output_shape')
  if (declared !== undefined) return declared.slice(-sizes.length)
  const window = readWindow(context, context.input(1).dims.slice(2), sizes)
  const autoPad = context.string('auto_pad') ?? 'NOTSET'
  return window.kernel.map((kernel, axis) => {
    const stride = window.strides[axis] ?? 1
    if (autoPad.startsWith('SAME')) return (sizes[axis] ?? 0) * stride
    const extra = context.ints('output_padding')?.[axis] ?? 0
    return ((sizes[axis] ?? 0) - 1) * stride + extra + kernel - sumPads(window, axis)
  })
}

function checkChannels(context: OperatorContext, actual: number, expected: number): void {
  if (actual !== expected) throw context.error(`its input has ${actual} channels, its weights take ${expected}`)
}
