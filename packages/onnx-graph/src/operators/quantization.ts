import { describeTensor } from '../tensor-info.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Yields integers of the zero point's type, uint8 without one. */
const quantize: OperatorRule = {
  types: ['QuantizeLinear'],
  infer(context) {
    const zeroPoint = context.inputs[2]
    return [describeTensor(zeroPoint === undefined ? 'uint8' : zeroPoint.type, context.input(0).dims)]
  },
}

/** Yields numbers of the scale's type. */
const dequantize: OperatorRule = {
  types: ['DequantizeLinear'],
  infer: (context) => [describeTensor(context.input(1).type, context.input(0).dims)],
}

/** Yields integers, their scale and their zero point. */
const dynamicQuantize: OperatorRule = {
  types: ['DynamicQuantizeLinear'],
  infer: (context) => [
    describeTensor('uint8', context.input(0).dims),
    describeTensor('float32', []),
    describeTensor('uint8', []),
  ],
}

/** The rules of conversions to and from integers with a scale; not counted. */
export const quantizationRules: readonly OperatorRule[] = [quantize, dequantize, dynamicQuantize]
