import { createThresholdPolicy, type GateRule } from '@sluice/core'
import { expect } from 'vitest'
import { checkInputs, expectValidScores, type FamilyCase, forEachGate } from './family-context.ts'
import { createExtremeInput, createFittedRule, type GateInput, selectInput } from './score-samples.ts'

/** The contract of the exit scores that a family creates. */
export const scoreCases: readonly FamilyCase[] = [
  {
    name: 'the exit score is one finite number per row within the range of the family',
    run: (context) => checkInputs(context, (rule, input) => expectValidScores(context.family, rule, input)),
  },
  {
    name: 'the exit score of extreme class scores is a finite number within the range',
    run: (context) =>
      forEachGate(context, (classCount, earlierCount) => {
        const rule = createFittedRule(context.family, classCount, earlierCount)
        expectValidScores(context.family, rule, createExtremeInput(classCount, earlierCount))
      }),
  },
  {
    name: 'zero rows have zero exit scores',
    run: (context) =>
      forEachGate(context, (classCount, earlierCount) => {
        const none = selectInput(createExtremeInput(classCount, earlierCount), [])
        const { score } = createFittedRule(context.family, classCount, earlierCount)
        expect(score(none.scores, none.context)).toEqual(new Float32Array(0))
      }),
  },
  {
    name: 'the exit score of a row depends neither on its neighbours nor on its position',
    run: (context) =>
      checkInputs(context, ({ score }, input) => {
        const values = score(input.scores, input.context)
        const rows = Array.from(values.keys())
        const scoreRows = (selected: readonly number[]) => {
          const { scores, context: earlier } = selectInput(input, selected)
          return score(scores, earlier)
        }
        expect(scoreRows(rows.toReversed())).toEqual(values.toReversed())
        for (const row of rows) expect(scoreRows([row])).toEqual(values.slice(row, row + 1))
      }),
  },
  {
    name: 'the exit score is pure: same in, same out, input unchanged, memory of its own',
    run: (context) =>
      checkInputs(context, ({ score }, input) => {
        const before = structuredClone(input)
        const first = score(input.scores, input.context)
        const kept = first.slice()
        const second = score(input.scores, input.context)
        expect(second).toEqual(kept)
        second.fill(-1)
        expect(first).toEqual(kept)
        expect(input).toEqual(before)
      }),
  },
  {
    name: 'a higher threshold lets a subset of the rows leave',
    run: (context) =>
      checkInputs(context, (rule, input) => {
        let previous: number[] | undefined
        for (const threshold of rule.score(input.scores, input.context).toSorted()) {
          const leaving = findLeaving({ ...rule, threshold }, input)
          expect(previous ?? leaving).toEqual(expect.arrayContaining(leaving))
          previous = leaving
        }
      }),
  },
  {
    name: 'a threshold of Infinity never fires',
    run: (context) =>
      checkInputs(context, (rule, input) => {
        expect(findLeaving({ ...rule, threshold: Number.POSITIVE_INFINITY }, input)).toEqual([])
      }),
  },
]

/** The rows that a gate lets go when the gates in front let none. */
function findLeaving(rule: GateRule, { scores, context: { earlier, features } }: GateInput): number[] {
  const rowIndices = Uint32Array.from({ length: scores.rows }, (_, row) => row)
  const keepAll: GateRule = { score: ({ rows }) => new Float32Array(rows), threshold: 1 }
  const policy = createThresholdPolicy('threshold', [...earlier.map(() => keepAll), rule])
  let state = policy.init(scores.rows)
  let exit = new Uint8Array(scores.rows)
  for (const [stage, seen] of [...earlier, scores].entries()) {
    const decision = policy.decide({ stage, scores: seen, features, rowIndices, macsSpent: 1 }, state)
    state = decision.state
    exit = decision.exit.slice()
  }
  return Array.from(rowIndices).filter((row) => exit[row] === 1)
}
