import { expect, test } from 'vitest'
import { InvalidArgumentError } from './errors.ts'
import {
  evaluateAnswerExpression,
  evaluateScoreExpression,
  looksBack,
  type ScoreExpression,
} from './score-expression.ts'

const scores = { data: Float32Array.of(1, 2, 3, -1, 0, 500), rows: 2, classCount: 3 }

const multiply = (matrix: readonly (readonly number[])[]): ScoreExpression => ({
  operator: 'product',
  of: 'scores',
  matrix,
})

test('a product is of each row with the columns of a matrix', () => {
  const columns = multiply([
    [1, 0],
    [0, 2],
    [1, 1],
  ])
  expect(evaluateAnswerExpression(columns, scores).data).toEqual(Float32Array.of(4, 7, 499, 500))
})

test.each([
  ['too few rows', [[1], [2]]],
  ['too many rows', [[1], [2], [3], [4]]],
  ['rows of different lengths', [[1], [2, 3], [4]]],
])('a matrix with %s is refused', (_, matrix) => {
  expect(() => evaluateScoreExpression(multiply(matrix), scores)).toThrow(InvalidArgumentError)
})

test('log-probabilities add up to one, and do not overflow', () => {
  const { data } = evaluateAnswerExpression({ operator: 'log-softmax', of: 'scores' }, scores)
  const sum = data.subarray(0, 3).reduce((total, value) => total + Math.exp(value), 0)
  expect(sum).toBeCloseTo(1, 6)
  expect(Array.from(data.subarray(3))).toEqual([-501, -500, 0])
})

test('probabilities are those of the log-probabilities, and do not overflow', () => {
  const logs = evaluateAnswerExpression({ operator: 'log-softmax', of: 'scores' }, scores).data
  const { data } = evaluateAnswerExpression({ operator: 'softmax', of: 'scores' }, scores)
  for (const [index, value] of data.entries()) expect(value).toBeCloseTo(Math.exp(logs[index] as number), 6)
  expect(Array.from(data.subarray(3))).toEqual([expect.closeTo(0, 6), expect.closeTo(0, 6), 1])
})

test.each<[boolean, ScoreExpression]>([
  [false, 'scores'],
  [false, { operator: 'add', left: [1, 2, 3], right: 2 }],
  [false, multiply([[1], [1], [1]])],
  [true, { earlier: 1 }],
  [true, { operator: 'add', left: 'scores', right: { operator: 'softmax', of: { earlier: 2 } } }],
  [true, { operator: 'product', of: { earlier: 1 }, matrix: [[1], [1], [1]] }],
])('whether it looks back (%s) is seen anywhere in an expression', (expected, expression) => {
  expect(looksBack(expression)).toBe(expected)
})
