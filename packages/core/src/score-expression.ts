import type { ClassScores } from './class-scores.ts'

/**
 * An exit score as data, so that engines without JavaScript can compute it: in an ONNX graph, in a shader. Values are
 * matrices `[rows, classes]` or columns `[rows, 1]`; where both meet, the column counts for every class.
 *
 * - `'scores'`: the gate's class scores; a number: a constant; a list: a constant for each class
 * - `exponential`, `logarithm` (natural): of every value
 * - `row-maximum`, `row-sum`: a column with the greatest value or the sum of each row
 * - `descending`: each row's values, the greatest first
 */
export type ScoreExpression =
  | 'scores'
  | number
  | readonly number[]
  | { readonly operator: BinaryOperator; readonly left: ScoreExpression; readonly right: ScoreExpression }
  | { readonly operator: UnaryOperator; readonly of: ScoreExpression }

/** Operators on two values, elementwise. */
export type BinaryOperator = 'add' | 'subtract' | 'multiply' | 'divide' | 'minimum' | 'maximum'

/** Operators on one value: elementwise, or over the classes of each row. */
export type UnaryOperator = 'exponential' | 'logarithm' | 'row-maximum' | 'row-sum' | 'descending'

const binaryOperators: Record<BinaryOperator, (left: number, right: number) => number> = {
  add: (left, right) => left + right,
  subtract: (left, right) => left - right,
  multiply: (left, right) => left * right,
  divide: (left, right) => left / right,
  minimum: Math.min,
  maximum: Math.max,
}

const unaryOperators: Record<UnaryOperator, (row: readonly number[]) => number[]> = {
  exponential: (row) => row.map(Math.exp),
  logarithm: (row) => row.map(Math.log),
  'row-maximum': (row) => [Math.max(...row)],
  'row-sum': (row) => [row.reduce((sum, value) => sum + value, 0)],
  descending: (row) => row.toSorted((a, b) => b - a),
}

/**
 * The expression's value for each row, in double precision and row by row: what every translation is tested against.
 * The first value of a row counts, so the expression should be a column.
 */
export function evaluateScoreExpression(
  expression: ScoreExpression,
  { data, rows, classCount }: ClassScores,
): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    const scores = Array.from(data.subarray(row * classCount, (row + 1) * classCount))
    return evaluateRow(expression, scores)[0] ?? Number.NaN
  })
}

function evaluateRow(expression: ScoreExpression, scores: readonly number[]): readonly number[] {
  if (expression === 'scores') return scores
  if (typeof expression === 'number') return [expression]
  if (!('operator' in expression)) return expression
  if ('of' in expression) return unaryOperators[expression.operator](evaluateRow(expression.of, scores))
  const [left, right] = [evaluateRow(expression.left, scores), evaluateRow(expression.right, scores)]
  const at = (row: readonly number[], index: number) => row[row.length === 1 ? 0 : index] as number
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) =>
    binaryOperators[expression.operator](at(left, index), at(right, index)),
  )
}
