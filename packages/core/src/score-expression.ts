import type { ClassScores } from './class-scores.ts'
import { InvalidArgumentError } from './errors.ts'

/**
 * An exit score or an answer as data, so that engines without JavaScript can compute it: in an ONNX graph, in a shader.
 * Values are matrices, mostly `[rows, classes]`, or columns `[rows, 1]`; where both meet, the column counts for every class.
 *
 * - `'scores'`: the gate's class scores, or the full network's at its end; a number: a constant; a list: a constant for
 *   each class
 * - `earlier`: the class scores of a gate in front, counted back among those that stand: 1 is the nearest
 * - `exponential`, `logarithm` (natural), `logistic` (`1 / (1 + exp(-x))`): of every value
 * - `row-maximum`, `row-sum`: a column with the greatest value or the sum of each row
 * - `row-answer`: 1 at each row's greatest value, the first of equals, and 0 at the others
 * - `descending`: each row's values, the greatest first
 * - `softmax`: each row's exponentials, divided by their sum
 * - `log-softmax`: each value less the logarithm of the sum of its row's exponentials, which cannot overflow on the way
 * - `product`: each row, of anything but a bare number, times a matrix with a row for each of its values: `[rows, n]` and
 *   `[n, m]` give `[rows, m]`
 */
export type ScoreExpression =
  | 'scores'
  | { readonly earlier: number }
  | number
  | readonly number[]
  | { readonly operator: BinaryOperator; readonly left: ScoreExpression; readonly right: ScoreExpression }
  | { readonly operator: UnaryOperator; readonly of: ScoreExpression }
  | { readonly operator: 'product'; readonly of: ScoreExpression; readonly matrix: readonly (readonly number[])[] }

/** Operators on two values, elementwise. */
export type BinaryOperator = 'add' | 'subtract' | 'multiply' | 'divide' | 'minimum' | 'maximum'

/** Operators on one value: elementwise, or over the classes of each row. */
export type UnaryOperator =
  | 'exponential'
  | 'logarithm'
  | 'logistic'
  | 'row-maximum'
  | 'row-sum'
  | 'row-answer'
  | 'descending'
  | 'softmax'
  | 'log-softmax'

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
  logistic: (row) => row.map((value) => 1 / (1 + Math.exp(-value))),
  'row-maximum': (row) => [Math.max(...row)],
  'row-sum': (row) => [row.reduce((sum, value) => sum + value, 0)],
  'row-answer': (row) => {
    const best = row.indexOf(Math.max(...row))
    return row.map((_, place) => (place === best ? 1 : 0))
  },
  descending: (row) => row.toSorted((a, b) => b - a),
  softmax: (row) => takeLogSoftmax(row).map(Math.exp),
  'log-softmax': takeLogSoftmax,
}

function takeLogSoftmax(row: readonly number[]): number[] {
  const best = Math.max(...row)
  const sum = row.reduce((total, value) => total + Math.exp(value - best), 0)
  return row.map((value) => value - best - Math.log(sum))
}

/**
 * The expression's value for each row, in double precision and row by row: what every translation is tested against.
 * The first value of a row counts, so the expression should be a column.
 *
 * @param earlier class scores of the gates in front that stand, of the same rows, in the order of the network
 * @throws InvalidArgumentError for an expression that looks at more gates than are in front, or multiplies by a matrix of
 * another size
 */
export function evaluateScoreExpression(
  expression: ScoreExpression,
  scores: ClassScores,
  earlier: readonly ClassScores[] = [],
): Float32Array {
  return Float32Array.from(evaluateRows(expression, scores, earlier), ([value = Number.NaN]) => value)
}

/**
 * The value of an expression that is a matrix, `[rows, classes]`, e.g. of an answer; computed like
 * {@link evaluateScoreExpression}, with the same errors.
 */
export function evaluateAnswerExpression(
  expression: ScoreExpression,
  scores: ClassScores,
  earlier: readonly ClassScores[] = [],
): ClassScores {
  return { ...scores, data: Float32Array.from(evaluateRows(expression, scores, earlier).flat()) }
}

/** The expression with another one in place of `'scores'`: what it says of the gate's class scores is said of that. */
export function replaceScores(expression: ScoreExpression, replacement: ScoreExpression): ScoreExpression {
  if (expression === 'scores') return replacement
  if (typeof expression === 'number' || !('operator' in expression)) return expression
  const replace = (part: ScoreExpression) => replaceScores(part, replacement)
  if ('of' in expression) return { ...expression, of: replace(expression.of) }
  return { ...expression, left: replace(expression.left), right: replace(expression.right) }
}

/** Whether an expression looks at the class scores of gates in front. */
export function looksBack(expression: ScoreExpression): boolean {
  if (typeof expression !== 'object') return false
  if ('earlier' in expression) return true
  if (!('operator' in expression)) return false
  return 'of' in expression ? looksBack(expression.of) : looksBack(expression.left) || looksBack(expression.right)
}

/** The class scores of one row at a gate and at those in front. */
interface RowScores {
  readonly own: readonly number[]
  readonly earlier: readonly (readonly number[])[]
}

function evaluateRows(
  expression: ScoreExpression,
  scores: ClassScores,
  earlier: readonly ClassScores[],
): (readonly number[])[] {
  return Array.from({ length: scores.rows }, (_, row) => {
    const readRow = ({ data, classCount }: ClassScores) =>
      Array.from(data.subarray(row * classCount, (row + 1) * classCount))
    return evaluateRow(expression, { own: readRow(scores), earlier: earlier.map(readRow) })
  })
}

function evaluateRow(expression: ScoreExpression, scores: RowScores): readonly number[] {
  if (expression === 'scores') return scores.own
  if (typeof expression === 'number') return [expression]
  if ('earlier' in expression) return getEarlier(scores.earlier, expression.earlier)
  if (!('operator' in expression)) return expression
  if ('matrix' in expression) return multiplyRow(evaluateRow(expression.of, scores), expression.matrix)
  if ('of' in expression) return unaryOperators[expression.operator](evaluateRow(expression.of, scores))
  const [left, right] = [evaluateRow(expression.left, scores), evaluateRow(expression.right, scores)]
  const at = (row: readonly number[], index: number) => row[row.length === 1 ? 0 : index] as number
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) =>
    binaryOperators[expression.operator](at(left, index), at(right, index)),
  )
}

function multiplyRow(row: readonly number[], matrix: readonly (readonly number[])[]): number[] {
  const [first = []] = matrix
  if (matrix.length !== row.length || matrix.some(({ length }) => length !== first.length)) {
    throw new InvalidArgumentError(
      `An expression multiplies ${row.length} values by a matrix of ${matrix.length} rows with ${first.length} columns; it needs a row for each value, all of one length.`,
    )
  }
  return first.map((_, column) => row.reduce((sum, value, index) => sum + value * (matrix[index]?.[column] ?? 0), 0))
}

/**
 * What an expression's `earlier` stands for.
 * @param earlier of each gate in front that stands, in the order of the network
 * @param distance counted back, 1 for the nearest
 * @throws InvalidArgumentError for a distance without a gate
 */
export function getEarlier<T>(earlier: readonly T[], distance: number): T {
  const found = earlier[earlier.length - distance]
  if (found !== undefined) return found
  throw new InvalidArgumentError(
    `An expression looks ${distance} gates back where ${earlier.length} are in front. Calibrate the bundle again.`,
  )
}
