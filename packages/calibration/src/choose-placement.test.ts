import { InvalidArgumentError } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { choosePlacement, proposePlacements } from './choose-placement.ts'
import { selectGates } from './exit-table.ts'
import { generateTable } from './generated-table.ts'
import { evaluateThresholds } from './operating-point.ts'
import { searchThresholds } from './search-thresholds.ts'

const table = generateTable({ samples: 2000, gates: 6, random: createRandom(1) })

it('is as good as the best of all subsets', () => {
  const subsets = Array.from({ length: 63 }, (_, bits) => [0, 1, 2, 3, 4, 5].filter((gate) => ((bits + 1) >> gate) & 1))
  const costs = subsets.map(
    (gates) => searchThresholds(selectGates(table, gates), { maxDrop: 2, standardErrors: 1 }).point.cost,
  )
  const { point, met } = choosePlacement(table, { maxDrop: 2, standardErrors: 1 })
  expect(met).toBe(true)
  expect(point.cost).toBeLessThan(1.01 * Math.min(...costs))
})

it('counts the heads of the chosen gates alone and keeps to the number of gates', () => {
  const { gates, point } = choosePlacement(table, { maxDrop: 2, standardErrors: 1, maxGates: 2 })
  expect(gates).toHaveLength(2)
  expect(gates).toEqual(gates.toSorted((a, b) => a - b))
  expect(point).toEqual(evaluateThresholds(selectGates(table, gates), point.thresholds))
  expect(point.fullCost).toBe(70)
  expect(point.drop + point.dropStandardError).toBeLessThanOrEqual(2)
})

it('leaves out gates whose heads cost more than they save', () => {
  const cost = { ...table.cost, head: [0.1, 60, 0.1, 60, 0.1, 60] }
  expect(choosePlacement({ ...table, cost }, { maxDrop: 2 }).gates.every((gate) => gate % 2 === 0)).toBe(true)
})

it('chooses no gate when none meets the target', () => {
  const { gates, point, met } = choosePlacement(table, { maxDrop: -50 })
  expect({ gates, met, saved: point.saved, drop: point.drop }).toEqual({ gates: [], met: false, saved: 0, drop: 0 })
})

it('with further drops, has the least mean cost over all of them', () => {
  const drops = [1, 3, 9]
  const costOf = (gates: readonly number[]) =>
    drops.reduce((sum, maxDrop) => sum + searchThresholds(selectGates(table, gates), { maxDrop }).point.cost, 0)
  const [maxDrop = 0, ...furtherDrops] = drops
  const pairs = [0, 1, 2, 3, 4].flatMap((first) => [1, 2, 3, 4, 5].map((second) => [first, second]))
  const costs = pairs.filter(([first = 0, second = 0]) => first < second).map(costOf)
  const { gates } = choosePlacement(table, { maxDrop, furtherDrops, maxGates: 2 })
  expect(costOf(gates)).toBeLessThan(1.01 * Math.min(...costs))
})

it('refuses less than one gate', () => {
  expect(() => choosePlacement(table, { maxDrop: 1, maxGates: 0 })).toThrow(InvalidArgumentError)
  expect(() => proposePlacements(table, { maxDrop: 1, maxGates: 0 })).toThrow('maxGates is 0')
  expect(() => proposePlacements(table, { maxDrop: 1, setsPerSize: 1.5 })).toThrow('setsPerSize is 1.5')
})

it('refuses gates that do not ascend or exist', () => {
  expect(() => selectGates(table, [2, 1])).toThrow(InvalidArgumentError)
  expect(() => selectGates(table, [6])).toThrow(InvalidArgumentError)
})

it('proposes the cheapest sets of each size, smaller ones first', () => {
  const costOf = (gates: readonly number[]) => searchThresholds(selectGates(table, gates), { maxDrop: 2 }).point.cost
  const proposals = proposePlacements(table, { maxDrop: 2, maxGates: 3, setsPerSize: 2 })
  expect(proposals.map(({ length }) => length)).toEqual([1, 1, 2, 2, 3, 3])
  const singles = [0, 1, 2, 3, 4, 5].map((gate) => [gate]).sort((a, b) => costOf(a) - costOf(b))
  expect(proposals.slice(0, 2)).toEqual(singles.slice(0, 2))
  const { point } = choosePlacement(table, { maxDrop: 2, maxGates: 3 })
  expect(Math.min(...proposals.map(costOf))).toBeLessThan(1.01 * point.cost)
  expect(proposals.every((gates) => gates.join() === gates.toSorted((a, b) => a - b).join())).toBe(true)
})

it('proposes no set that saves nothing', () => {
  expect(proposePlacements(table, { maxDrop: -50 })).toEqual([])
  const cost = { ...table.cost, head: [0.1, 600, 600, 600, 600, 600] }
  expect(proposePlacements({ ...table, cost }, { maxDrop: 2 })).toEqual([[0]])
})
