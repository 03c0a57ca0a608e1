import { describeTensor } from '../tensor-info.ts'
import { sizeOf } from './axes.ts'
import type { OperatorRule } from './operator-rule.ts'
import { countWindows, readWindow } from './window.ts'

const pooling: OperatorRule = {
  types: ['AveragePool', 'MaxPool', 'LpPool'],
  infer(context) {
    const input = context.input(0)
    const sizes = input.dims.slice(2)
    const spatial = countWindows(context, readWindow(context, [], sizes), sizes)
    const dims = [sizeOf(context, input, 0), sizeOf(context, input, 1), ...spatial]
    return [describeTensor(input.type, dims), describeTensor('int64', dims)]
  },
}

const globalPooling: OperatorRule = {
  types: ['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'],
  infer(context) {
    const { type, dims } = context.input(0)
    return [
      describeTensor(
        type,
        dims.map((size, axis) => (axis < 2 ? size : 1)),
      ),
    ]
  },
}

/** The rules of pooling over windows and over whole maps. */
export const poolingRules: readonly OperatorRule[] = [pooling, globalPooling]
