import { describePolicy } from '@sluice/conformance'
import { InvalidArgumentError } from '@sluice/core'
import { expect, it } from 'vitest'
import { createWindowFamily } from './window-family.ts'

describePolicy('window', createWindowFamily())
describePolicy('window of three gates', createWindowFamily({ length: 3 }), { gateCount: 4 })

/** Class scores whose softmax is `[p, 1 - p]` at temperature `t`. */
const sure = (p: number, t = 1) => ({
  data: Float32Array.of(t * Math.log(p), t * Math.log(1 - p)),
  rows: 1,
  classCount: 2,
})

it('is the least of the greatest probabilities at the last gates', () => {
  const score = createWindowFamily({ length: 2 }).createScore({ temperatures: [3, 0.5] })
  const earlier = [sure(0.6), sure(0.8, 3)]
  expect(score(sure(0.9, 0.5), { earlier })[0]).toBeCloseTo(0.8, 6)
  expect(score(sure(0.7, 0.5), { earlier })[0]).toBeCloseTo(0.7, 6)
  expect(score(sure(0.1, 0.5), { earlier })[0]).toBeCloseTo(0.8, 6)
})

it('fits the temperatures of the gates that it looks at, fewer at the first ones', () => {
  const family = createWindowFamily({ length: 2 })
  const sample = { scores: sure(0.7), targets: Int32Array.of(0), weightNorms: [1, 1] }
  const counts = [0, 1, 2].map((count) => {
    const { temperatures } = family.fit({ ...sample, earlier: Array.from({ length: count }, () => sure(0.6)) })
    return Array.isArray(temperatures) ? temperatures.length : -1
  })
  expect(counts).toEqual([1, 2, 2])
})

it('refuses other gates than it was fitted with, and a window without gates', () => {
  const score = createWindowFamily().createScore({ temperatures: [1, 1] })
  expect(() => score(sure(0.9))).toThrow('fitted on 1 gates in front and is shown 0')
  const first = createWindowFamily().createScore({ temperatures: [1] })
  expect(() => first(sure(0.9), { earlier: [sure(0.9)] })).toThrow('fitted on 0 gates in front and is shown 1')
  expect(() => createWindowFamily({ length: 0 })).toThrow(InvalidArgumentError)
})
