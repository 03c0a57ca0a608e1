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
  const append: ScoreAppender = (part) => {
    if (part === 'scores') return own
    if (typeof part === 'number') return once(`${part}`, () => appendFloats(builder, [part], []))
    if ('earlier' in part) return getEarlier(earlier, part.earlier)()
    if (!('operator' in part)) return once(`[${part}]`, () => appendFloats(builder, part, [1, part.length]))
    const { operator } = part
    const weighted = readWeightedSum(part)
    if (weighted !== null) {
      const of = append(weighted.of)
      const { weights } = weighted
      const factors = once(`column [${weights}]`, () => appendFloats(builder, weights, [weights.length, 1]))
      return once(`sum ${of} ${factors}`, () => builder.node('MatMul', [of, factors]))
    }
    if ('of' in part) {
      const of = append(part.of)
      return once(`${operator} ${of}`, () => unaryNodes[part.operator](builder, of, classCount))
    }
    const [left, right] = [append(part.left), append(part.right)]
    return once(`${operator} ${left} ${right}`, () => builder.node(binaryNodes[part.operator], [left, right]))
  }
  return append
}

/** What is summed over the classes and the factor of each; null for anything but such a sum. */
function readWeightedSum(part: ScoreExpression): { of: ScoreExpression; weights: readonly number[] } | null {
  if (typeof part !== 'object' || !('operator' in part) || part.operator !== 'row-sum' || !('of' in part)) return null
  const { of: product } = part
  if (typeof product !== 'object' || !('left' in product) || product.operator !== 'multiply') return null
  const { left, right } = product
  return Array.isArray(right) && isMatrix(left) ? { of: left, weights: right } : null
}

/** Whether an expression has a value for each class of a row; else it has one for the row. */
function isMatrix(part: ScoreExpression): boolean {
  if (part === 'scores') return true
  if (typeof part === 'number') return false
  if ('left' in part) return isMatrix(part.left) || isMatrix(part.right)
  if ('of' in part) return part.operator !== 'row-sum' && part.operator !== 'row-maximum' && isMatrix(part.of)
  return true
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
