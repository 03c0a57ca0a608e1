import { expect, it } from 'vitest'
import { formatThreshold } from './format-threshold.ts'

it('tells gates that are off from gates that only never fire', () => {
  expect(formatThreshold(0.81234, 3)).toBe('0.812')
  expect(formatThreshold(null, 4)).toBe('off')
  expect(formatThreshold(Number.POSITIVE_INFINITY, 3)).toBe('off')
  expect(formatThreshold(Number.MAX_VALUE, 4)).toBe('never')
})
