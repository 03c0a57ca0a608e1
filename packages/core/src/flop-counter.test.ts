import { expect, it } from 'vitest'
import { InvalidArgumentError } from './errors.ts'
import { createFlopCounter } from './flop-counter.ts'

const stages = [
  { macs: { backbone: 100, head: 7 } },
  { macs: { backbone: 50, head: 3 } },
  { macs: { backbone: 25, head: 0 } },
]

it('counts a stage and the way to its end, heads included', () => {
  const counter = createFlopCounter({ stages })
  expect(counter.countStage(1)).toEqual({ backbone: 50, head: 3 })
  expect([0, 1, 2].map(counter.countThrough)).toEqual([107, 160, 185])
})

it('refuses stages that do not exist', () => {
  const counter = createFlopCounter({ stages })
  expect(() => counter.countStage(3)).toThrow('stages 0 to 2')
  expect(() => counter.countThrough(-1)).toThrow(InvalidArgumentError)
})

it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses a cost of %d MACs, alone or as a sum', (macs) => {
  expect(() => createFlopCounter({ stages: [{ macs: { backbone: macs, head: 0 } }] })).toThrow(InvalidArgumentError)
})

it('refuses costs whose sum is not a safe integer', () => {
  const half = { macs: { backbone: 2 ** 52, head: 0 } }
  expect(() => createFlopCounter({ stages: [half, half] })).toThrow('Stage 1')
})
