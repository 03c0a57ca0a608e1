import { createRandom } from '@sluice/core/reference'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { generateTable } from './generated-table.ts'
import { createLevelPath, evaluateLevelPath } from './level-path.ts'
import { evaluateThresholds } from './operating-point.ts'
import { findParetoFront } from './pareto-front.ts'
import { createSearchSpace, traceExits } from './threshold-grid.ts'

const tables = fc
  .record({ seed: fc.nat(), gates: fc.integer({ min: 1, max: 5 }), samples: fc.integer({ min: 1, max: 300 }) })
  .map(({ seed, gates, samples }) => generateTable({ samples, gates, random: createRandom(seed) }))

it('is nested on unseen samples: no row leaves later at a higher step, and at the first none leaves', () => {
  fc.assert(
    fc.property(tables, fc.nat(), (table, seed) => {
      const path = createLevelPath(table)
      const unseen = generateTable({ samples: 50, gates: table.gates.length, random: createRandom(seed) })
      const space = createSearchSpace(unseen, path)
      let previous: Uint8Array = new Uint8Array(50).fill(table.gates.length)
      for (let step = 0; step < path.steps; step += 31) {
        const exits = traceExits(space, new Array(table.gates.length).fill(step)).first
        if (step === 0) expect(exits).toEqual(previous)
        expect(exits.every((exit, row) => exit <= (previous[row] ?? -1))).toBe(true)
        previous = exits
      }
    }),
    { seed: 1, numRuns: 40 },
  )
})

it('has thresholds that only fall, and a chance of harm that only grows', () => {
  fc.assert(
    fc.property(tables, (table) => {
      const path = createLevelPath(table)
      for (const thresholds of path.thresholds) {
        expect(thresholds[0]).toBe(Number.POSITIVE_INFINITY)
        expect(thresholds.every((value, step) => step === 0 || value <= (thresholds[step - 1] ?? -1))).toBe(true)
        expect(thresholds.includes(Number.NEGATIVE_INFINITY) || thresholds.some(Number.isNaN)).toBe(false)
      }
      expect(path.harm[0]).toBe(0)
      expect(path.harm.every((value, step) => step === 0 || value >= (path.harm[step - 1] ?? 2))).toBe(true)
    }),
    { seed: 2, numRuns: 40 },
  )
})

it.each([false, true])('has the operating points that its thresholds have, the end revised: %s', (revisesEnd) => {
  const path = createLevelPath(generateTable({ samples: 400, gates: 3, revisesEnd, random: createRandom(5) }))
  const table = generateTable({ samples: 300, gates: 3, revisesEnd, random: createRandom(6) })
  evaluateLevelPath(table, path).forEach((point, step) => {
    if (step % 50 === 0) expect(point).toEqual(evaluateThresholds(table, point.thresholds))
  })
})

it('ends where every sample leaves at once', () => {
  const table = generateTable({ samples: 400, gates: 3, random: createRandom(7) })
  const last = evaluateLevelPath(table, createLevelPath(table)).at(-1)
  expect(last?.exitShares[0]).toBeGreaterThan(0.99)
})

it('has a Pareto front that no point of the path beats', () => {
  fc.assert(
    fc.property(tables, (table) => {
      const front = findParetoFront(table)
      front.forEach((point, index) => {
        const next = front[index + 1]
        if (next !== undefined) expect(next.saved > point.saved && next.drop > point.drop).toBe(true)
      })
      for (const { saved, drop } of evaluateLevelPath(table, createLevelPath(table))) {
        expect(front.some((point) => point.saved >= saved && point.drop <= drop)).toBe(true)
      }
    }),
    { seed: 3, numRuns: 15 },
  )
})

it('needs a gate', () => {
  expect(() => createLevelPath(generateTable({ samples: 10, gates: 0, random: createRandom(1) }))).toThrow(/no gates/)
})
