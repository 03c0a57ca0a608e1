import { createThresholdPolicy, NonFiniteValueError, ShapeMismatchError } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ExitTable } from './exit-table.ts'
import { generateTable } from './generated-table.ts'
import { evaluateThresholds } from './operating-point.ts'

const threshold = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.double({ min: 0, max: 1, noNaN: true }))
const tableAndThresholds = fc.integer({ min: 1, max: 4 }).chain((gates) =>
  fc.record({
    table: fc
      .record({ samples: fc.integer({ min: 1, max: 40 }), seed: fc.nat(), revisesEnd: fc.boolean() })
      .map(({ seed, ...options }) => generateTable({ ...options, gates, random: createRandom(seed) })),
    thresholds: fc.array(threshold, { minLength: gates, maxLength: gates }),
  }),
)

/** Row by row through the policy that the runner would use, each row a batch of one whose one class score is its score. */
function simulate(table: ExitTable, thresholds: readonly number[]) {
  const policy = createThresholdPolicy(
    'cached',
    thresholds.map((value) => ({ score: ({ data }) => data, threshold: value })),
  )
  const exits = new Array<number>(table.gates.length + 1).fill(0)
  let [right, cost] = [0, 0]
  for (let row = 0; row < table.samples; row++) {
    let stage = 0
    for (; ; stage++) {
      cost += table.cost.backbone[stage] ?? Number.NaN
      const gate = table.gates[stage]
      if (gate === undefined) break
      cost += table.cost.head[stage] ?? Number.NaN
      const scores = { data: gate.scores.slice(row, row + 1), rows: 1, classCount: 1 }
      if (policy.decide({ stage, scores, rowIndices: Uint32Array.of(row), macsSpent: cost }, null).exit[0] === 1) break
    }
    exits[stage] = (exits[stage] ?? 0) + 1
    right += (table.gates[stage]?.right ?? table.endRight ?? table.finalRight)[row] ?? Number.NaN
  }
  const { samples } = table
  return { accuracy: right / samples, cost: cost / samples, exitShares: exits.map((count) => count / samples) }
}

it('agrees with a walk of every row through the threshold policy', () => {
  fc.assert(
    fc.property(tableAndThresholds, ({ table, thresholds }) => {
      const point = evaluateThresholds(table, thresholds)
      const expected = simulate(table, thresholds)
      expect(point.exitShares).toEqual(expected.exitShares)
      expect(point.accuracy).toBeCloseTo(expected.accuracy, 10)
      expect(point.cost).toBeCloseTo(expected.cost, 8)
      expect(point.drop).toBeCloseTo(100 * (point.fullAccuracy - expected.accuracy), 8)
      expect(point.saved).toBeCloseTo(1 - expected.cost / (10 * (table.gates.length + 1)), 8)
    }),
    { seed: 1, numRuns: 200 },
  )
})

it('loses nothing and pays for the heads when nothing fires', () => {
  const table = generateTable({ samples: 50, gates: 3, random: createRandom(2) })
  const point = evaluateThresholds(
    table,
    [1, 1, 1].map(() => Number.POSITIVE_INFINITY),
  )
  expect(point.drop).toBe(0)
  expect(point.saved).toBeCloseTo(-0.3 / 40, 12)
  expect(point.exitShares).toEqual([0, 0, 0, 1])
})

it('counts the drop against the full network where rows that reach the end are answered otherwise', () => {
  const cost = { backbone: [1, 1], head: [0] }
  const gate = { scores: Float32Array.of(0, 0, 0, 1), right: new Uint8Array(4), range: [0, 1] as const }
  const finalRight = Uint8Array.of(1, 0, 0, 1)
  const endRight = Uint8Array.of(1, 1, 1, 1)
  const point = evaluateThresholds({ samples: 4, gates: [gate], finalRight, endRight, cost }, [0.5])
  expect(point).toMatchObject({ accuracy: 0.75, fullAccuracy: 0.5, drop: -25, exitShares: [0.25, 0.75] })
})

it('gives the drop the standard error of a mean of paired outcomes', () => {
  const samples = 400
  const right = (wrong: number) => new Uint8Array(samples).fill(1, wrong)
  const gate = { scores: new Float32Array(samples).fill(1), right: right(36), range: [0, 1] as const }
  const cost = { backbone: [1, 1], head: [0] }
  const point = evaluateThresholds({ samples, gates: [gate], finalRight: right(0), cost }, [0.5])
  expect(point.drop).toBeCloseTo(9, 10)
  // sqrt(0.09 * 0.91 / 400) = 1.43 points, a little more for the imaginary sample.
  expect(point.dropStandardError).toBeGreaterThan(1.43)
  expect(point.dropStandardError).toBeLessThan(1.46)
})

it('refuses tables that do not fit together, are empty, or hold NaN', () => {
  const table = generateTable({ samples: 3, gates: 1, random: createRandom(3) })
  const spoil = (change: Partial<ExitTable>) => () => evaluateThresholds({ ...table, ...change }, [0.5])
  expect(spoil({ samples: 0 })).toThrow(/at least one sample/)
  expect(spoil({ finalRight: new Uint8Array(2) })).toThrow(ShapeMismatchError)
  expect(spoil({ endRight: new Uint8Array(2) })).toThrow(ShapeMismatchError)
  expect(spoil({ cost: { backbone: [1], head: [0] } })).toThrow(ShapeMismatchError)
  expect(spoil({ cost: { backbone: [1, -1], head: [0] } })).toThrow(/costs -1/)
  expect(spoil({ cost: { backbone: [0, 0], head: [1] } })).toThrow(/costs 0/)
  const gates = table.gates.map((gate) => ({ ...gate, scores: Float32Array.of(0, Number.NaN, 1) }))
  expect(spoil({ gates })).toThrow(NonFiniteValueError)
  expect(() => evaluateThresholds(table, [])).toThrow(ShapeMismatchError)
})
