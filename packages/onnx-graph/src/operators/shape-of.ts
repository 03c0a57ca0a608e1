import { countElements } from '@sluice/core'
import { describeConstant } from '../tensor-info.ts'
import type { OperatorRule } from './operator-rule.ts'

const shape: OperatorRule = {
  types: ['Shape'],
  infer(context) {
    const dims = context.input(0).dims.slice(context.int('start') ?? 0, context.int('end'))
    return [describeConstant({ type: 'int64', dims: [dims.length], data: BigInt64Array.from(dims, BigInt) })]
  },
}

const size: OperatorRule = {
  types: ['Size'],
  infer(context) {
    const elements = countElements(context.input(0).dims)
    return [describeConstant({ type: 'int64', dims: [], data: BigInt64Array.of(BigInt(elements)) })]
  },
}

/** The rules of operators that turn shapes into values. */
export const shapeOfRules: readonly OperatorRule[] = [shape, size]
