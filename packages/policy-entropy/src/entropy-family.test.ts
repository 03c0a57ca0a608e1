import { describePolicy } from '@sluice/conformance'
import { expect, it } from 'vitest'
import { createEntropyFamily } from './entropy-family.ts'

describePolicy('entropy', createEntropyFamily())
describePolicy('entropy without a fitted temperature', createEntropyFamily({ fitTemperature: false }))

const scoreAt = (temperature: number, ...data: number[]) =>
  createEntropyFamily().createScore({ temperature })({
    data: Float32Array.from(data),
    rows: 1,
    classCount: data.length,
  })[0]

it('is one minus the entropy in units of its greatest value', () => {
  const p = [0.5, 0.25, 0.25]
  const entropy = -p.reduce((sum, value) => sum + value * Math.log(value), 0)
  expect(scoreAt(1, ...p.map(Math.log))).toBeCloseTo(1 - entropy / Math.log(3), 6)
})

it('is 0 for equal scores, 1 for certainty and 1 for a single class', () => {
  expect(scoreAt(1, 7, 7, 7, 7)).toBeCloseTo(0, 6)
  expect(scoreAt(1, 1e30, 0, -1e30)).toBe(1)
  expect(scoreAt(1, -3)).toBe(1)
})

it('stays finite where scores over the temperature overflow', () => {
  expect(scoreAt(1e-300, 3e38, -3e38)).toBe(1)
})

it('falls with the temperature', () => {
  expect(scoreAt(2, 3, 0, 0)).toBeLessThan(scoreAt(1, 3, 0, 0) ?? Number.NaN)
})
