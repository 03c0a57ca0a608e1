import { describeTensor } from '../tensor-info.ts'
import { fold, readElement } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Operations on one number that shape arithmetic uses. */
const operations: Readonly<Record<string, (operand: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Floor: Math.floor,
  Neg: (operand) => -operand,
  Sqrt: Math.sqrt,
}

const foldedUnary: OperatorRule = {
  types: Object.keys(operations),
  infer(context) {
    const input = context.input(0)
    const operation = operations[context.node.opType]
    const folded = fold(input.type, input.dims, [input], ([value]) => (position) => {
      return value && operation?.(Number(readElement(value, position)))
    })
    return [folded]
  },
}

/** Passes constants on untouched. */
const identity: OperatorRule = {
  types: ['Identity'],
  infer: (context) => [context.input(0)],
}

/** At inference dropout passes its input on; the mask is all true. */
const dropout: OperatorRule = {
  types: ['Dropout'],
  infer(context) {
    const input = context.input(0)
    return [input, describeTensor('bool', input.dims)]
  },
}

const sameShape: OperatorRule = {
  types: [
    ...['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Cos', 'Cosh', 'Erf', 'Exp', 'Log', 'Reciprocal', 'Round'],
    ...['Sign', 'Sin', 'Sinh', 'Tan', 'Tanh', 'BitwiseNot', 'CumSum', 'Trilu', 'Clip'],
    ...['Celu', 'Elu', 'Gelu', 'HardSigmoid', 'HardSwish', 'LeakyRelu', 'Mish', 'Relu', 'Selu', 'Shrink', 'Sigmoid'],
    ...['Softplus', 'Softsign', 'Swish', 'ThresholdedRelu', 'Softmax', 'LogSoftmax', 'Hardmax'],
  ],
  infer(context) {
    const { type, dims } = context.input(0)
    return [describeTensor(type, dims)]
  },
}

/** The rules of activations and other operators that keep the shape of their one input; not counted. */
export const unaryRules: readonly OperatorRule[] = [foldedUnary, identity, dropout, sameShape]
