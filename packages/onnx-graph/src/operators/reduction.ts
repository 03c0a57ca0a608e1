import type { DataType } from '@sluice/core'
import { describeTensor } from '../tensor-info.ts'
import { readAttributeOrInput, resolveAxis } from './axes.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Reduces some axes, or all of them; `noop_with_empty_axes` makes an empty list mean none. */
const reduction: OperatorRule = {
  types: ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'].map(
    (name) => `Reduce${name}`,
  ),
  infer(context) {
    const { type, dims } = context.input(0)
    const axes = readAttributeOrInput(context, 'axes', 1) ?? []
    const meansAll = axes.length === 0 && context.int('noop_with_empty_axes') !== 1
    const reduced = meansAll ? [...dims.keys()] : axes.map((axis) => resolveAxis(context, axis, dims.length))
    return [describeTensor(type, reduce(context, dims, reduced))]
  },
}

const argument: OperatorRule = {
  types: ['ArgMax', 'ArgMin'],
  infer(context) {
    const { dims } = context.input(0)
    return [
      describeTensor('int64', reduce(context, dims, [resolveAxis(context, context.int('axis') ?? 0, dims.length)])),
    ]
  },
}

/** Values and positions of the largest. */
const topK: OperatorRule = {
  types: ['TopK'],
  infer(context) {
    const { type, dims } = context.input(0)
    const axis = resolveAxis(context, context.int('axis') ?? -1, dims.length)
    const kept = dims.with(axis, context.constant(1)?.[0] ?? 0)
    return [type, 'int64' as DataType].map((outputType) => describeTensor(outputType, kept))
  },
}

/** The rules of reductions; not counted. */
export const reductionRules: readonly OperatorRule[] = [reduction, argument, topK]

function reduce(context: OperatorContext, dims: readonly number[], axes: readonly number[]): number[] {
  const keepsAxes = context.int('keepdims') !== 0
  return keepsAxes
    ? dims.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : dims.filter((_, axis) => !axes.includes(axis))
}
