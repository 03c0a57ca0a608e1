import { describePolicy } from '@sluice/conformance'
import { expect, it } from 'vitest'
import { createSoftmaxFamily } from './softmax-family.ts'

describePolicy('softmax', createSoftmaxFamily())
describePolicy('softmax without a fitted temperature', createSoftmaxFamily({ fitTemperature: false }))

const family = createSoftmaxFamily()
const scores = { data: Float32Array.of(Math.log(6), Math.log(3), Math.log(1), 0, 0, 0), rows: 2, classCount: 3 }

it('is the greatest softmax probability', () => {
  const values = family.createScore({ temperature: 1 })(scores)
  expect(values[0]).toBeCloseTo(0.6, 6)
  expect(values[1]).toBeCloseTo(1 / 3, 6)
})

it('is flatter at a higher temperature', () => {
  const values = family.createScore({ temperature: 2 })(scores)
  expect(values[0]).toBeCloseTo(Math.sqrt(6) / (Math.sqrt(6) + Math.sqrt(3) + 1), 6)
})

it('fits a temperature that makes the score the share of right answers', () => {
  const rows = 1000
  const data = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? 5 : 0))
  const targets = Int32Array.from({ length: rows }, (_, row) => (row % 10 < 8 ? 0 : 1))
  const sample = { scores: { data, rows, classCount: 2 }, targets, weightNorms: [1, 1] }
  const values = family.createScore(family.fit(sample))(sample.scores)
  expect(values[0]).toBeCloseTo(0.8, 4)
  expect(createSoftmaxFamily({ fitTemperature: false }).fit(sample)).toEqual({ temperature: 1 })
})
