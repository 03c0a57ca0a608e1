import { expect, it } from 'vitest'
import { measureConfidence } from './confidence.ts'

it('is the greatest softmax probability of each row, the flatter the higher the temperature', () => {
  const scores = { data: Float32Array.of(0, Math.log(3), 5, 5, 1000, -1000), rows: 3, classCount: 2 }
  const [first, second, third] = measureConfidence(scores, 1)
  expect(first).toBeCloseTo(0.75, 6)
  expect(second).toBe(0.5)
  expect(third).toBe(1)
  expect(measureConfidence(scores, 2)[0]).toBeCloseTo(Math.sqrt(3) / (1 + Math.sqrt(3)), 6)
  expect(measureConfidence({ data: new Float32Array(0), rows: 0, classCount: 2 }, 1)).toEqual(new Float32Array(0))
})
