import type { ClassScores, Decision, ExitPolicy, Observation } from '@sluice/core'
import fc from 'fast-check'
import { expect } from 'vitest'
import { selectScores } from '../rows.ts'
import type { SuiteCase } from '../suite.ts'
import { createExtremeScores, createFeatures, createGateScores } from './score-samples.ts'

/** What every case on decisions works with. */
export interface DecisionContext {
  createPolicy(classCount: number): ExitPolicy
  readonly classCounts: readonly number[]
  readonly gateCount: number
  /** Random score sets per property. */
  readonly runs: number
}

/** The contract of `ExitPolicy`, whatever it decides by. */
export const decisionCases: readonly SuiteCase<DecisionContext>[] = [
  {
    name: 'the policy states its contract version and a name',
    run({ createPolicy, classCounts }) {
      for (const classCount of classCounts) {
        const { specVersion, name } = createPolicy(classCount)
        expect(specVersion).toBe('v1')
        expect(name).not.toBe('')
      }
    },
  },
  {
    name: 'every decision holds one 0 or 1 per row',
    run: (context) =>
      checkGateScores(context, (policy, gates) => {
        visitGates(policy, gates, ({ decision: { exit }, observation: { scores } }) => {
          expect(exit).toBeInstanceOf(Uint8Array)
          expect(exit.length).toBe(scores.rows)
          expect(exit.every((value) => value <= 1)).toBe(true)
        })
      }),
  },
  {
    name: "class scores that rows answer with instead of the gate's are finite, one row each",
    run: (context) =>
      checkGateScores(context, (policy, gates) => {
        visitGates(policy, gates, ({ decision: { scores: answers }, observation: { scores } }) => {
          if (answers === undefined) return
          expect(answers).toMatchObject({ rows: scores.rows, classCount: scores.classCount })
          expect(answers.data.length).toBe(scores.data.length)
          expect(answers.data.every(Number.isFinite)).toBe(true)
        })
      }),
  },
  {
    name: 'the same observation and state give the same decision and stay unchanged',
    run: (context) =>
      checkGateScores(context, (policy, gates) => {
        visitGates(policy, gates, ({ observation, state, decision }) => {
          const before = structuredClone({ observation, state })
          expect(policy.decide(observation, state)).toEqual(decision)
          expect({ observation, state }).toEqual(before)
        })
      }),
  },
  {
    name: 'a row leaves where it would leave alone',
    run: (context) =>
      checkGateScores(context, (policy, gates) => {
        findExits(policy, gates).forEach((stage, row) => {
          const alone = gates.map((scores) => selectScores(scores, [row]))
          expect(findExits(policy, alone), `row ${row}`).toEqual([stage])
        })
      }),
  },
  {
    name: 'a row leaves where it would leave in another order of the rows',
    run: (context) =>
      checkGateScores(context, (policy, gates) => {
        const order = Array.from({ length: gates[0]?.rows ?? 0 }, (_, row) => row).reverse()
        const reversed = gates.map((scores) => selectScores(scores, order))
        expect(findExits(policy, reversed).reverse()).toEqual(findExits(policy, gates))
      }),
  },
  {
    name: 'extreme scores are decided without an error',
    run({ createPolicy, classCounts, gateCount }) {
      for (const classCount of classCounts) {
        const gates = Array.from({ length: gateCount }, () => createExtremeScores(classCount))
        expect(findExits(createPolicy(classCount), gates)).toHaveLength(gates[0]?.rows ?? 0)
      }
    },
  },
]

type Check = (policy: ExitPolicy, gates: readonly ClassScores[]) => void

function checkGateScores({ createPolicy, classCounts, gateCount, runs }: DecisionContext, check: Check): void {
  const policies = new Map(classCounts.map((classCount) => [classCount, createPolicy(classCount)]))
  const property = fc.property(createGateScores(classCounts, gateCount), (gates) => {
    check(policies.get(gates[0]?.classCount ?? 0) ?? expect.unreachable(), gates)
  })
  fc.assert(property, { seed: 20181103, numRuns: runs })
}

interface Visit {
  readonly observation: Observation
  readonly state: unknown
  readonly decision: Decision<unknown>
}

/** Shows a policy the gates as the runner would, rows that left no longer among them. */
function visitGates(policy: ExitPolicy, gates: readonly ClassScores[], visit: (gate: Visit) => void): void {
  let rows = Array.from({ length: gates[0]?.rows ?? 0 }, (_, row) => row)
  let state = policy.init(rows.length)
  for (const [stage, allScores] of gates.entries()) {
    if (rows.length === 0) return
    const scores = selectScores(allScores, rows)
    const rowIndices = Uint32Array.from(rows)
    const features = policy.usesFeatures ? createFeatures(scores) : undefined
    const observation = { stage, scores, features, rowIndices, macsSpent: 1000 * (stage + 1) }
    const decision = policy.decide(observation, state)
    visit({ observation, state, decision })
    rows = rows.filter((_, position) => decision.exit[position] === 0)
    state = decision.state
  }
}

/** The stage at which each row leaves; the number of gates where none took it. */
function findExits(policy: ExitPolicy, gates: readonly ClassScores[]): number[] {
  const exits = Array.from({ length: gates[0]?.rows ?? 0 }, () => gates.length)
  visitGates(policy, gates, ({ observation: { stage, rowIndices }, decision: { exit } }) => {
    rowIndices.forEach((row, position) => {
      if (exit[position] === 1) exits[row] = stage
    })
  })
  return exits
}
