import { describePolicy } from '@sluice/conformance'
import { InvalidArgumentError, ShapeMismatchError } from '@sluice/core'
import { expect, it } from 'vitest'
import { createMarginFamily } from './margin-family.ts'

describePolicy('margin', createMarginFamily())
describePolicy('margin-difference', createMarginFamily({ score: 'difference' }))
describePolicy('margin-distance', createMarginFamily({ score: 'distance' }))

const scores = { data: Float32Array.of(1, 4, -2, -3, -1, -1), rows: 2, classCount: 3 }
const sample = { scores, targets: Int32Array.of(0, 1), weightNorms: [0.5, 4, 2] }

it('scores the highest class score, its lead, and its distance to the boundary', () => {
  const scoreBy = (score: 'maximum' | 'difference' | 'distance') => {
    const family = createMarginFamily({ score })
    return Array.from(family.createScore(family.fit(sample))(scores))
  }
  expect(scoreBy('maximum')).toEqual([4, -1])
  expect(scoreBy('difference')).toEqual([3, 0])
  expect(scoreBy('distance')).toEqual([2, -0.25])
})

it('keeps the norms of the weights for the distance alone', () => {
  expect(createMarginFamily({ score: 'distance' }).fit(sample)).toEqual({ weightNorms: [0.5, 4, 2] })
  expect(createMarginFamily().fit(sample)).toEqual({})
})

it('refuses norms that are missing, zero, or of another number of classes', () => {
  const family = createMarginFamily({ score: 'distance' })
  expect(() => family.fit({ ...sample, weightNorms: [1, 0, 1] })).toThrow(InvalidArgumentError)
  expect(() => family.fit({ ...sample, weightNorms: [1, 1] })).toThrow(ShapeMismatchError)
  expect(() => family.createScore({})).toThrow(InvalidArgumentError)
  expect(() => family.createScore({ weightNorms: [1, 1] })(scores)).toThrow(ShapeMismatchError)
})
