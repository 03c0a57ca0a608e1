import type { DataType } from '@sluice/core'
import { describeTensor, type TensorInfo } from '../tensor-info.ts'
import { broadcast } from './axes.ts'
import { fold, readBroadcast } from './folding.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'

/** The operation on one element of each input. Not a number where it has no result. */
type Operation = (operands: readonly number[], context: OperatorContext) => number

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
      const type = resultType ?? context.input(0).type
      const dims = broadcastInputs(context, inputs)
      const operation = operations[context.node.opType]
      if (!operation) return [describeTensor(type, dims)]
      const folded = fold(type, dims, inputs, (values) => (position) => {
        const operands = values.map((value) => Number(readBroadcast(value, position)))
        return operation(operands, context)
      })
      return [folded]
    },
  }
}

const binary = (operation: (left: number, right: number, context: OperatorContext) => number): Operation => {
  return ([left = Number.NaN, right = Number.NaN], context) => operation(left, right, context)
}

const arithmetic = createElementwiseRule({
  Add: binary((left, right) => left + right),
  Sub: binary((left, right) => left - right),
  Mul: binary((left, right) => left * right),
  Div: binary((left, right, context) => (context.input(0).type === 'float32' ? left / right : divide(left, right))),
  Mod: binary((left, right, context) => (context.int('fmod') === 1 ? left % right : modulo(left, right))),
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

/** Chooses between two inputs by a condition. */
const where: OperatorRule = {
  types: ['Where'],
  infer(context) {
    const inputs = [context.input(0), context.input(1), context.input(2)]
    const dims = broadcastInputs(context, inputs)
    const folded = fold(context.input(1).type, dims, inputs, ([condition, yes, no]) => (position) => {
      const chosen = condition && readBroadcast(condition, position) ? yes : no
      return chosen && readBroadcast(chosen, position)
    })
    return [folded]
  },
}

/** The rules of operators on pairs (or more) of elements; not counted. */
export const elementwiseRules: readonly OperatorRule[] = [arithmetic, logic, where]

function broadcastInputs(context: OperatorContext, inputs: readonly TensorInfo[]): number[] {
  const shapes = inputs.map(({ dims }) => dims)
  return broadcast(context, shapes)
}

/** Integer division drops the fraction, and has no result where the divisor is 0. */
function divide(left: number, right: number): number {
  return right === 0 ? Number.NaN : Math.trunc(left / right)
}

/** The remainder with the sign of the divisor. */
function modulo(left: number, right: number): number {
  return left - Math.floor(left / right) * right
}
