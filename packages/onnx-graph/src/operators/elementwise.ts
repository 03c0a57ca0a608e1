import type { DataType } from '@sluice/core'
import { describeTensor } from '../tensor-info.ts'
import { broadcast } from './axes.ts'
import { fold, readBroadcast } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

/** The operation on numbers; `type` is the element type of the first input. Not a number where it has no result. */
type Operation = (operands: readonly number[], type: DataType | null) => number

/**
 * A rule for operators that work element by element on inputs broadcast to one shape, with the operation where shape
 * arithmetic uses it.
 */
function createElementwiseRule(
  operations: Readonly<Record<string, Operation | null>>,
  resultType?: DataType,
): OperatorRule {
  return {
    types: Object.keys(operations),
    infer(context) {
      const inputs = context.inputs.map((_, index) => context.input(index))
      const { type } = context.input(0)
      const dims = broadcast(
        context,
        inputs.map((input) => input.dims),
      )
      const operation = operations[context.node.opType]
      if (!operation) return [describeTensor(resultType ?? type, dims)]
      const folded = fold(resultType ?? type, dims, inputs, (values) => (position) => {
        const operands = values.map((value) => Number(readBroadcast(value, position)))
        return operation(operands, type)
      })
      return [folded]
    },
  }
}

const binary = (operation: (left: number, right: number, type: DataType | null) => number): Operation => {
  return ([left = Number.NaN, right = Number.NaN], type) => operation(left, right, type)
}

const arithmetic = createElementwiseRule({
  Add: binary((left, right) => left + right),
  Sub: binary((left, right) => left - right),
  Mul: binary((left, right) => left * right),
  Div: binary((left, right, type) => (type === 'float32' ? left / right : divideIntegers(left, right))),
  Pow: binary((left, right) => left ** right),
  Max: (operands) => Math.max(...operands),
  Min: (operands) => Math.min(...operands),
  Sum: (operands) => operands.reduce((sum, operand) => sum + operand, 0),
  Mean: null,
  PRelu: null,
  BitShift: null,
})

const logic = createElementwiseRule(
  {
    Equal: binary((left, right) => Number(left === right)),
    Greater: binary((left, right) => Number(left > right)),
    GreaterOrEqual: binary((left, right) => Number(left >= right)),
    Less: binary((left, right) => Number(left < right)),
    LessOrEqual: binary((left, right) => Number(left <= right)),
    And: binary((left, right) => left * right),
    Or: binary((left, right) => left + right),
    Xor: binary((left, right) => Number(left !== right)),
    Not: ([operand = 0]) => Number(operand === 0),
    IsNaN: null,
    IsInf: null,
  },
  'bool',
)

/** The remainder has the sign of the divisor, or of the dividend with `fmod`. */
const modulo: OperatorRule = {
  types: ['Mod'],
  infer(context) {
    const inputs = [context.input(0), context.input(1)]
    const dims = broadcast(
      context,
      inputs.map((input) => input.dims),
    )
    const isTruncated = context.int('fmod') === 1
    const folded = fold(context.input(0).type, dims, inputs, (values) => (position) => {
      const [left = Number.NaN, right = Number.NaN] = values.map((value) => Number(readBroadcast(value, position)))
      return isTruncated ? left % right : left - Math.floor(left / right) * right
    })
    return [folded]
  },
}

/** Chooses between two inputs by a condition. */
const where: OperatorRule = {
  types: ['Where'],
  infer(context) {
    const inputs = [context.input(0), context.input(1), context.input(2)]
    const dims = broadcast(
      context,
      inputs.map((input) => input.dims),
    )
    const folded = fold(context.input(1).type, dims, inputs, ([condition, yes, no]) => (position) => {
      const chosen = condition && readBroadcast(condition, position) ? yes : no
      return chosen && readBroadcast(chosen, position)
    })
    return [folded]
  },
}

/** The rules of operators on pairs (or more) of elements; not counted. */
export const elementwiseRules: readonly OperatorRule[] = [arithmetic, logic, modulo, where]

function divideIntegers(left: number, right: number): number {
  return right === 0 ? Number.NaN : Math.trunc(left / right)
}
