import { describePolicy } from '@sluice/conformance'
import { expect, it } from 'vitest'
import { createDifferenceFamily } from './difference-family.ts'

const family = createDifferenceFamily()

describePolicy('difference', family)

const distributed = (t: number, ...p: number[]) => ({
  data: Float32Array.from(p, (value) => t * Math.log(value)),
  rows: 1,
  classCount: p.length,
})

it('is one minus the Jensen-Shannon divergence from the gate before, in bits', () => {
  const score = family.createScore({ temperatures: [2, 0.5] })
  const earlier = [distributed(1, 0.1, 0.1, 0.8), distributed(2, 0.5, 0.25, 0.25)]
  // H(p) = 1 bit, H(q) = 1.5 bits, of their mean [0.5, 0.375, 0.125] 1.40564 bits.
  const p = distributed(0.5, 0.5, 0.5 - 1e-9, 1e-9)
  expect(score(p, { earlier })[0]).toBeCloseTo(1 - (1.4056390622 - 1.25), 5)
})

it('is 1 for the same probabilities, 0 for certainty of another class and at the first gate', () => {
  const score = family.createScore({ temperatures: [2, 1] })
  const earlier = [distributed(2, 0.7, 0.2, 0.1)]
  expect(score(distributed(1, 0.7, 0.2, 0.1), { earlier })[0]).toBeCloseTo(1, 6)
  const certain = (...data: number[]) => ({ data: Float32Array.from(data), rows: 1, classCount: 2 })
  expect(score(certain(1e6, 0), { earlier: [certain(0, 1e6)] })[0]).toBe(0)
  expect(family.createScore({ temperatures: [1] })(certain(1e6, 0))[0]).toBe(0)
})

it('stays 1 where a probability is the least positive number', () => {
  const score = family.createScore({ temperatures: [1, 1] })
  const certain = (...data: number[]) => ({ data: Float32Array.from(data), rows: 1, classCount: 2 })
  expect(Math.exp(-744.8)).toBe(Number.MIN_VALUE)
  expect(score(certain(0, -744.8), { earlier: [certain(0, -2000)] })[0]).toBe(1)
  expect(score(certain(0, -2000), { earlier: [certain(0, -744.8)] })[0]).toBe(1)
})
