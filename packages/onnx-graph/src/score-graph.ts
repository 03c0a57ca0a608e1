import { type BinaryOperator, getEarlier, type ScoreExpression, type UnaryOperator } from '@sluice/core'
import type { GraphBuilder } from './graph-builder.ts'
import { readWeightedSum, type WeightedSum } from './weighted-sum.ts'

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
  'row-answer': (builder, of, classCount) => {
    const best = builder.node('ArgMax', [of], { axis: 1, keepdims: 1 })
    const places = appendIntegers(
      builder,
      Array.from({ length: classCount }, (_, c) => c),
    )
    return builder.node('Cast', [builder.node('Equal', [best, places])], { to: 1 })
  },
  descending: (builder, of, classCount) => appendTopValues(builder, of, classCount),
  softmax: (builder, of) => builder.node('Softmax', [of], { axis: 1 }),
  'log-softmax': (builder, of) => builder.node('LogSoftmax', [of], { axis: 1 }),
}

/** What expressions may look at. */
export interface VisibleScores {
  /** The class scores, `[rows, classCount]`. */
  readonly own: string
  /** Those of the gates in front that stand and, last, the own, side by side: `[rows, (earlierCount + 1) * classCount]`. */
  readonly all: string
  /** Gates in front that stand; 0 where nothing looks back. */
  readonly earlierCount: number
}

/**
 * Numbers in a matrix that weighs class scores: 64 KiB are read about as fast as the nodes start that it replaces. With more
 * classes than that allows, each gate's scores are cut out and weighed by themselves.
 */
const mostWeights = 2 ** 14

/**
 * Appends an expression in single precision.
 * @returns name of its values, `[rows, 1]` for an exit score, `[rows, classCount]` for an answer
 */
export type ScoreAppender = (expression: ScoreExpression) => string

/** Appends expressions over the same class scores; what they have in common is computed once. Needs operator set 13. */
export function createScoreAppender(
  builder: GraphBuilder,
  { own, all, earlierCount }: VisibleScores,
  classCount: number,
): ScoreAppender {
  const earlierGates = Array.from({ length: earlierCount }, (_, gate) => gate)
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
  const appendEarlier = (gate: number) =>
    once(`gate ${gate}`, () => {
      const ends = [gate, gate + 1].map((end) => appendIntegers(builder, [end * classCount]))
      return builder.node('Slice', [all, ...ends, appendIntegers(builder, [1])])
    })
  /** One product for a weighted sum, of one gate's class scores or of several. */
  const appendWeightedSum = (part: BinaryExpression): string | null => {
    const sum = part.operator === 'add' || part.operator === 'subtract' ? readWeightedSum(part, classCount) : null
    if (sum === null || isPlainTerm(sum)) return null
    const furthest = Math.max(...sum.weights.keys())
    if (furthest > earlierCount) return null
    const [of, gateCount] = furthest === 0 ? [own, 1] : [all, earlierCount + 1]
    if (gateCount * classCount ** 2 > mostWeights) return null
    const matrix = new Float32Array(gateCount * classCount ** 2)
    for (const [distance, weights] of sum.weights) {
      const start = (gateCount - 1 - distance) * classCount
      weights.forEach((weight, c) => {
        matrix[(start + c) * classCount + c] = weight
      })
    }
    return once(`sum of ${of} ${matrix} ${sum.bias}`, () => {
      const weights = appendFloats(builder, matrix, [gateCount * classCount, classCount])
      return builder.node('Gemm', [of, weights, appendFloats(builder, sum.bias, [classCount])])
    })
  }
  const append: ScoreAppender = (part) => {
    if (part === 'scores') return own
    if (typeof part === 'number') return once(`${part}`, () => appendFloats(builder, [part], []))
    if ('earlier' in part) return appendEarlier(getEarlier(earlierGates, part.earlier))
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
    const sum = appendWeightedSum(part)
    if (sum !== null) return sum
    const operands = listOperands(part).map(append)
    const opType = operands.length > 2 ? 'Sum' : binaryNodes[part.operator]
    return once(`${operator} ${operands.join(' ')}`, () => builder.node(opType, operands))
  }
  return append
}

/** Whether a sum weighs nothing: constants, or one gate's scores as they are, which are added by a node as cheap. */
function isPlainTerm({ weights }: WeightedSum): boolean {
  return (
    weights.size < 2 &&
    Array.from(weights.values())
      .flat()
      .every((weight) => weight === 1)
  )
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

function appendFloats(builder: GraphBuilder, values: ArrayLike<number>, dims: readonly number[]): string {
  return builder.node('Constant', [], { value: { type: 'float32', dims, data: Float32Array.from(values) } })
}

/** A vector of whole numbers, as a node. */
export function appendIntegers(builder: GraphBuilder, values: readonly number[]): string {
  const data = BigInt64Array.from(values, BigInt)
  return builder.node('Constant', [], { value: { type: 'int64', dims: [values.length], data } })
}
