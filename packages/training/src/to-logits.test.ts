import { expect, it } from 'vitest'
import { toLogits } from './to-logits.ts'

it('takes the logarithm of probabilities, 0 among them, and leaves other scores alone', () => {
  const probabilities = { data: Float32Array.of(0.25, 0.75, 1, 0), rows: 2, classCount: 2 }
  expect([...toLogits(probabilities)].map((value) => Math.exp(value))).toEqual(
    [...probabilities.data].map((value) => expect.closeTo(value, 6)),
  )
  for (const data of [Float32Array.of(0.25, 0.75, 1, 1), Float32Array.of(0.25, 0.75, 2, -1)]) {
    expect(toLogits({ data, rows: 2, classCount: 2 })).toBe(data)
  }
})
