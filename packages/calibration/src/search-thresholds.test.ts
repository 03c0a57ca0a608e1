import { InvalidArgumentError } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExitTable } from './exit-table.ts'
import { measureGateMoves } from './gate-moves.ts'
import { generateTable } from './generated-table.ts'
import { createLevelPath } from './level-path.ts'
import { evaluateThresholds } from './operating-point.ts'
import { searchThresholds, type ThresholdSearch } from './search-thresholds.ts'
import { createSearchSpace, traceExits } from './threshold-grid.ts'

const searches: readonly ThresholdSearch[] = ['level', 'coordinate', 'dynamic-programming']

/** A table that the level search serves badly: it spends accuracy on a last gate that has next to nothing to save. */
function createLopsidedTable(samples: number, seed: number): ExitTable {
  const table = generateTable({ samples, gates: 2, random: createRandom(seed) })
  return { ...table, cost: { backbone: [3, 26, 1], head: [0.1, 0.1] } }
}

describe.each(searches)('the %s search', (search) => {
  it('meets the target with its margin on the tuning samples, or says that it is not met', () => {
    const property = fc.property(
      fc.nat(),
      fc.integer({ min: 2, max: 600 }),
      fc.constantFrom(-1, 0, 0.5, 2, 10),
      fc.constantFrom(0, 1),
      fc.boolean(),
      (seed, samples, maxDrop, standardErrors, revisesEnd) => {
        const table = generateTable({ samples, gates: 3, revisesEnd, random: createRandom(seed) })
        const { point, met } = searchThresholds(table, { maxDrop, standardErrors, search })
        if (met) expect(point.drop + standardErrors * point.dropStandardError).toBeLessThanOrEqual(maxDrop + 1e-9)
        else expect(point.thresholds).toEqual(new Array(3).fill(Number.POSITIVE_INFINITY))
        expect(evaluateThresholds(table, point.thresholds)).toEqual(point)
      },
    )
    fc.assert(property, { seed: 1, numRuns: 25 })
  })

  it('saves more the more may be lost', () => {
    const table = generateTable({ samples: 2000, gates: 4, random: createRandom(8) })
    const saved = [0.5, 1, 2, 4].map((maxDrop) => searchThresholds(table, { maxDrop }).point.saved)
    expect(saved).toEqual(saved.toSorted((a, b) => a - b))
    expect(saved[3]).toBeGreaterThan((saved[0] ?? 1) + 0.01)
  })
})

it('measures the moves of one gate as the evaluation of their thresholds does', () => {
  const table = generateTable({ samples: 200, gates: 3, random: createRandom(9) })
  const path = createLevelPath(table)
  const steps = [300, 400, 500]
  const space = createSearchSpace(table, path)
  const moves = measureGateMoves(space, traceExits(space, steps), 1)
  for (let step = 0; step < path.steps; step += 97) {
    const thresholds = path.thresholds.map((values, gate) => values[gate === 1 ? step : (steps[gate] ?? 0)] ?? 0)
    const point = evaluateThresholds(table, thresholds)
    expect(moves.drop[step]).toBeCloseTo(point.drop, 9)
    expect(moves.dropStandardError[step]).toBeCloseTo(point.dropStandardError, 9)
    expect(moves.cost[step]).toBeCloseTo(point.cost, 9)
  }
})

it.each(['coordinate', 'dynamic-programming'] as const)('takes the %s search where it proves itself', (search) => {
  const table = createLopsidedTable(8000, 3)
  const level = searchThresholds(table, { maxDrop: 2 })
  const richer = searchThresholds(table, { maxDrop: 2, search })
  expect(richer.search).toBe(search)
  expect(richer.heldOut?.accepted).toBe(true)
  expect(richer.point.saved).toBeGreaterThan(level.point.saved + 0.01)
  const unseen = evaluateThresholds(createLopsidedTable(20_000, 4), richer.point.thresholds)
  expect(unseen.drop).toBeLessThan(2.3)
})

it('keeps the level search where a richer one only fits noise', () => {
  const random = createRandom(12)
  const table = generateTable({ samples: 300, gates: 8, random })
  const { search, heldOut, point } = searchThresholds(table, { maxDrop: 1, standardErrors: 0, search: 'coordinate' })
  expect(heldOut?.accepted).toBe(false)
  expect(search).toBe('level')
  expect(point).toEqual(searchThresholds(table, { maxDrop: 1, standardErrors: 0 }).point)
})

it('stays within 0.3 points of the target on unseen samples in at least 9 of 10 draws', () => {
  const unseen = generateTable({ samples: 40_000, gates: 4, random: createRandom(100) })
  const drops = Array.from({ length: 40 }, (_, seed) => {
    const table = generateTable({ samples: 3000, gates: 4, random: createRandom(seed) })
    return evaluateThresholds(unseen, searchThresholds(table, { maxDrop: 1 }).point.thresholds).drop
  })
  expect(drops.filter((drop) => drop <= 1.3).length).toBeGreaterThanOrEqual(36)
})

it('warns of fewer than 100 samples', () => {
  const warningsOf = (samples: number) =>
    searchThresholds(generateTable({ samples, gates: 1, random: createRandom(1) }), { maxDrop: 1 }).warnings
  expect(warningsOf(99)).toEqual([expect.stringContaining('Only 99 samples')])
  expect(warningsOf(100)).toEqual([])
})

it('refuses targets that are no numbers', () => {
  const table = generateTable({ samples: 10, gates: 1, random: createRandom(1) })
  expect(() => searchThresholds(table, { maxDrop: Number.NaN })).toThrow(InvalidArgumentError)
  expect(() => searchThresholds(table, { maxDrop: 1, standardErrors: -1 })).toThrow(InvalidArgumentError)
})
