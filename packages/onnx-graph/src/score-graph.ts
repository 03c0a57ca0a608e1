import type { BinaryOperator, ScoreExpression, UnaryOperator } from '@sluice/core'
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
  // ReduceMax takes its axis as an attribute up to operator set 17, as an input from 18 on; TopK is the same in both.
  'row-maximum': (builder, of) => appendTopValues(builder, of, 1),
  'row-sum': (builder, of) => builder.node('ReduceSum', [of, appendIntegers(builder, [1])], { keepdims: 1 }),
  descending: (builder, of, classCount) => appendTopValues(builder, of, classCount),
}

/**
 * Appends an exit score, in single precision. Needs operator set 13.
 *
 * @param scores name of the class scores, `[rows, classCount]`
 * @returns name of the exit scores, `[rows, 1]`
 */
export function appendScore(
  builder: GraphBuilder,
  scores: string,
  expression: ScoreExpression,
  classCount: number,
): string {
  const append = (part: ScoreExpression): string => {
    if (part === 'scores') return scores
    if (typeof part === 'number') return appendFloats(builder, [part], [])
    if (!('operator' in part)) return appendFloats(builder, part, [1, part.length])
    if ('of' in part) return unaryNodes[part.operator](builder, append(part.of), classCount)
    return builder.node(binaryNodes[part.operator], [append(part.left), append(part.right)])
  }
  return append(expression)
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
