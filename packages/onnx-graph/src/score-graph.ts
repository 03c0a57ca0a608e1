import { type BinaryOperator, getEarlier, type ScoreExpression, type UnaryOperator } from '@sluice/core'
import type { GraphBuilder } from './graph-builder.ts'

const binaryNodes: Record<BinaryOperator, string> = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Mul',
  divide: 'Div',
  minimum: 'Min',
  maximum: 'Max',
}

const unaryNodes: Record<UnaryOperator, (builder: GraphBuilder, of: string, classCount: number) => string> = {
  exponential: (builder, of) => builder.node('Exp', [of]),
  logarithm: (builder, of) => builder.node('Log', [of]),
  logistic: (builder, of) => builder.node('Sigmoid', [of]),
  // ReduceMax takes its axis as an attribute up to operator set 17, as an input from 18 on; TopK is the same in both.
  'row-maximum': (builder, of) => appendTopValues(builder, of, 1),
  'row-sum': (builder, of) => builder.node('ReduceSum', [of, appendIntegers(builder, [1])], { keepdims: 1 }),
  descending: (builder, of, classCount) => appendTopValues(builder, of, classCount),
  'log-softmax': (builder, of) => builder.node('LogSoftmax', [of], { axis: 1 }),
}

/** Names of what expressions may look at. */
export interface ScoreNames {
  /** The class scores, `[rows, classCount]`. */
  readonly own: string
  /** Those of each gate in front that stands, of the same rows; called where an expression looks at them. */
  readonly earlier: readonly (() => string)[]
}

/**
 * Appends an expression in single precision.
 * @returns name of its values, `[rows, 1]` for an exit score, `[rows, classCount]` for an answer
 */
export type ScoreAppender = (expression: ScoreExpression) => string

/** Appends expressions over the same class scores; what they have in common is computed once. Needs operator set 13. */
export function createScoreAppender(
  builder: GraphBuilder,
  { own, earlier }: ScoreNames,
  classCount: number,
): ScoreAppender {
  const names = new Map<string, string>()
  const once = (key: string, append: () => string): string => {
    const name = names.get(key) ?? append()
    names.set(key, name)
    return name
  }
  const appendMatrix = (matrix: readonly (readonly number[])[]) =>
    once(`[${matrix.map((row) => row.join()).join(';')}]`, () =>
      appendFloats(builder, matrix.flat(), [matrix.length, matrix[0]?.length ?? 0]),
    )
  const append: ScoreAppender = (part) => {
    if (part === 'scores') return own
    if (typeof part === 'number') return once(`${part}`, () => appendFloats(builder, [part], []))
    if ('earlier' in part) return getEarlier(earlier, part.earlier)()
    if (!('operator' in part)) return once(`[${part}]`, () => appendFloats(builder, part, [1, part.length]))
    const { operator } = part
    if ('matrix' in part) {
      const of = append(part.of)
      const matrix = appendMatrix(part.matrix)
      return once(`product ${of} ${matrix}`, () => builder.node('MatMul', [of, matrix]))
    }
    if ('of' in part) {
      const of = append(part.of)
      return once(`${operator} ${of}`, () => unaryNodes[part.operator](builder, of, classCount))
    }
    const operands = listOperands(part).map(append)
    const opType = operands.length > 2 ? 'Sum' : binaryNodes[part.operator]
    return once(`${operator} ${operands.join(' ')}`, () => builder.node(opType, operands))
  }
  return append
}

/** The summands of a sum, which one node adds, those of a sum on the left among them; else the two operands. */
function listOperands({ operator, left, right }: BinaryExpression): ScoreExpression[] {
  const first = operator === 'add' && isSum(left) ? listOperands(left) : [left]
  return [...first, right]
}

type BinaryExpression = Extract<ScoreExpression, { readonly left: ScoreExpression }>

function isSum(part: ScoreExpression): part is BinaryExpression {
  return typeof part === 'object' && 'left' in part && part.operator === 'add'
}

function appendTopValues(builder: GraphBuilder, of: string, count: number): string {
  const [values = ''] = builder.nodes('TopK', [of, appendIntegers(builder, [count])], 2, { axis: 1 })
  return values
}

function appendFloats(builder: GraphBuilder, values: readonly number[], dims: readonly number[]): string {
  return builder.node('Constant', [], { value: { type: 'float32', dims, data: Float32Array.from(values) } })
}

/** A vector of whole numbers, as a node. */
export function appendIntegers(builder: GraphBuilder, values: readonly number[]): string {
  const data = BigInt64Array.from(values, BigInt)
  return builder.node('Constant', [], { value: { type: 'int64', dims: [values.length], data } })
}
