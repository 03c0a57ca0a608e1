import type { ExitTable } from '@sluice/calibration'
import { createRandom } from '@sluice/datasets'
import { describe, expect, it } from 'vitest'
import { createFrontier } from './frontier.ts'

const samples = 500

/** One gate at a quarter of the cost whose score tells where it is right; the network behind it is right nine times in ten. */
function createTable(): ExitTable {
  const random = createRandom(3)
  const right = Uint8Array.from({ length: samples }, () => (random.next() < 0.6 ? 1 : 0))
  const scores = Float32Array.from(right, (value) => 0.4 * value + 0.6 * random.next())
  const finalRight = right.map((value) => (random.next() < 0.9 ? 1 : value))
  return { samples, gates: [{ scores, right, range: [0, 1] }], finalRight, cost: { backbone: [24, 75], head: [1] } }
}

const table = createTable()
const none = { ...table, gates: [], cost: { backbone: [99], head: [] } }
const sets = [
  { standing: [], table: none },
  { standing: [2], table },
]
const meanOf = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / samples

function judge({
  standing,
  thresholds: [threshold = Number.POSITIVE_INFINITY],
}: {
  standing: readonly number[]
  thresholds: readonly number[]
}) {
  const { scores, right } = table.gates[0] ?? { scores: new Float32Array(), right: new Uint8Array() }
  const leaves = Array.from(scores, (score) => standing.length > 0 && score >= threshold)
  const rights = leaves.map((isLeaving, row) => (isLeaving ? right : table.finalRight)[row] ?? 0)
  const cost = (row: boolean) => (row ? 25 : standing.length > 0 ? 100 : 99)
  return {
    accuracy: meanOf(Uint8Array.from(rights)),
    costShare: leaves.reduce((sum, row) => sum + cost(row), 0) / (99 * samples),
  }
}

describe('createFrontier', () => {
  const frontier = createFrontier(sets)

  it('spends no more than the budget, and is never less accurate with more', () => {
    let before = 0
    for (let budget = 26 / 99; budget <= 1; budget += 0.02) {
      const { accuracy, costShare } = judge(frontier.findWithin(budget))
      expect(costShare).toBeLessThanOrEqual(budget + 1e-9)
      expect(accuracy).toBeGreaterThanOrEqual(before)
      before = accuracy
    }
    expect(before).toBeGreaterThan(meanOf(table.gates[0]?.right ?? new Uint8Array()))
  })

  it('finds the point at which every sample leaves at the first gate, for exactly its cost', () => {
    expect(judge(frontier.findWithin(25 / 99)).costShare).toBeCloseTo(25 / 99, 12)
  })

  it('takes the cheapest point for less than any costs', () => {
    expect(frontier.findWithin(0)).toEqual(frontier.findWithin(25 / 99))
  })

  it('takes the network without gates where only that is as accurate', () => {
    const harmful = { ...table, gates: [{ ...table.gates[0], right: new Uint8Array(samples) }] } as ExitTable
    const { standing, thresholds } = createFrontier([
      ...sets.slice(0, 1),
      { standing: [2], table: harmful },
    ]).findWithin(1)
    expect({ standing, thresholds }).toEqual({ standing: [], thresholds: [] })
  })

  it('refuses to choose from nothing', () => {
    expect(() => createFrontier([])).toThrow('no sets of gates')
  })
})
