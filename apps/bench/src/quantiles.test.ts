import { describe, expect, it } from 'vitest'
import { findMedian, findQuantile } from './quantiles.ts'

describe('findMedian', () => {
  it('takes the middle value, or the mean of the two in the middle', () => {
    expect(findMedian([3, 1, 2])).toBe(2)
    expect(findMedian([4, 1, 3, 2])).toBe(2.5)
    expect(findMedian([])).toBeNaN()
  })
})

describe('findQuantile', () => {
  it('is linear between neighbours', () => {
    const sorted = Float64Array.of(0, 10, 20, 40)
    expect(findQuantile(sorted, 0)).toBe(0)
    expect(findQuantile(sorted, 0.5)).toBe(15)
    expect(findQuantile(sorted, 5 / 6)).toBeCloseTo(30)
    expect(findQuantile(sorted, 1)).toBe(40)
  })
})
