import { InvalidArgumentError } from '@sluice/core'
import { expect, it } from 'vitest'
import { spreadGates } from './spread-gates.ts'

const cuts = [0.02, 0.1, 0.24, 0.3, 0.52, 0.55, 0.74, 0.98].map((share) => ({ share }))

it('gates are spread evenly by share of MACs', () => {
  expect(spreadGates(cuts, 1)).toEqual([4])
  expect(spreadGates(cuts, 3)).toEqual([2, 4, 6])
})

it('every cut gets a gate when as many are asked for, and none gets two', () => {
  expect(spreadGates(cuts, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  const crowded = [0.01, 0.02, 0.03, 0.9].map((share) => ({ share }))
  expect(spreadGates(crowded, 3)).toEqual([1, 2, 3])
})

it.each([0, 9, 1.5])('%d gates on eight cuts are refused', (count) => {
  expect(() => spreadGates(cuts, count)).toThrow(InvalidArgumentError)
})
