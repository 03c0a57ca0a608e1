import type { ScoreExpression } from '@sluice/core'
import { expect, test } from 'vitest'
import { readWeightedSum } from './weighted-sum.ts'

const read = (expression: ScoreExpression) => {
  const sum = readWeightedSum(expression, 2)
  return sum && { weights: Object.fromEntries(sum.weights), bias: sum.bias }
}
const twice: ScoreExpression = { operator: 'multiply', left: 2, right: 'scores' }

test('the same gate in several terms counts with the sum of its weights', () => {
  const terms = {
    operator: 'subtract',
    left: twice,
    right: { operator: 'divide', left: 'scores', right: [4, -2] },
  } as const
  expect(read({ operator: 'add', left: terms, right: { earlier: 3 } })).toEqual({
    weights: { 0: [1.75, 2.5], 3: [1, 1] },
    bias: [0, 0],
  })
})

test('constants are scaled along', () => {
  const shifted = { operator: 'add', left: twice, right: [3, 5] } as const
  expect(read({ operator: 'multiply', left: shifted, right: [1, -1] })).toEqual({
    weights: { 0: [2, -2] },
    bias: [3, -5],
  })
  expect(read({ operator: 'multiply', left: 2, right: [3, 5] })).toEqual({ weights: {}, bias: [6, 10] })
})

const best: ScoreExpression = { operator: 'row-maximum', of: 'scores' }

test.each<{ name: string; expression: ScoreExpression }>([
  { name: 'a product of scores', expression: { operator: 'multiply', left: 'scores', right: twice } },
  { name: 'a quotient by scores', expression: { operator: 'divide', left: 2, right: 'scores' } },
  { name: 'a factor beyond single precision', expression: { operator: 'multiply', left: 'scores', right: 1e40 } },
  { name: 'what no gate is', expression: { operator: 'add', left: 'scores', right: { earlier: 0 } } },
  { name: 'a quotient by zero', expression: { operator: 'divide', left: 'scores', right: 0 } },
  { name: 'the lesser of two', expression: { operator: 'minimum', left: 'scores', right: 0 } },
  { name: 'a column', expression: { operator: 'add', left: 'scores', right: best } },
  { name: 'a list for other classes', expression: { operator: 'add', left: 'scores', right: [1] } },
])('$name is no weighted sum', ({ expression }) => {
  expect(readWeightedSum(expression, 2)).toBeNull()
})
