import {
  argmaxRows,
  type ClassScores,
  createGatedModel,
  createGateRule,
  createThresholdPolicy,
  type EndRule,
  type GateRule,
  type PolicyFamily,
  type PooledFeatures,
} from '@sluice/core'
import {
  computeReferenceFeatures,
  computeReferenceScores,
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
} from '@sluice/core/reference'
import { expect } from 'vitest'
import { getScoresRow, selectBatchRows } from '../rows.ts'
import type { FamilyCase } from './family-context.ts'
import { chooseThreshold, createInput, type GateInput } from './score-samples.ts'

const rows = 40

/** What thresholds chosen on scores of whole gates rely on. */
export const runnerCases: readonly FamilyCase[] = [
  {
    name: 'the runner lets the same rows leave with the same answers, all at once or one by one, as scores of whole gates say',
    async run({ family, classCounts, gateCount }) {
      for (const classCount of classCounts) {
        const cutWidths = Array.from({ length: gateCount }, () => 5)
        const options = { seed: 7, inputShape: [6], cutWidths, classCount, features: true }
        const network = createRandomReferenceNetwork(options)
        const batch = createRandomBatch(8, rows, [6])
        const stages = {
          scores: computeReferenceScores(network, batch),
          features: computeReferenceFeatures(network, batch),
        }
        const rules = fitRules(family, stages)
        const end = fitEnd(family, stages)
        const expected = findOutcomes(rules, end, stages)
        const model = await createReferenceBackend().load(await createReferenceBundle(network))
        const gated = createGatedModel({ model, policy: createThresholdPolicy(family.name, rules, end) })
        const { exits, scores } = await gated.predict(batch)
        expect(expected.map((_, row) => ({ exit: exits[row], scores: getScoresRow(scores, row) }))).toEqual(expected)
        for (const [row, outcome] of expected.entries()) {
          const alone = await gated.predict(selectBatchRows(batch, [row]))
          expect({ exit: alone.exits[0], scores: alone.scores.data }, `row ${row}`).toEqual(outcome)
        }
        await model.dispose()
      }
    },
  },
]

/** What the stages of a network give for all rows, the last one included. */
interface StageRows {
  readonly scores: readonly ClassScores[]
  readonly features: readonly PooledFeatures[]
}

/** What a gate is shown when no row has left. */
function showAllRows(stages: StageRows, gate: number): GateInput {
  return createInput(stages.scores.slice(0, gate + 1), stages.features[gate])
}

/** A rule per gate, each of which lets about half of the rows leave. */
function fitRules(family: PolicyFamily, stages: StageRows): GateRule[] {
  const targets = argmaxRows(stages.scores.at(-1) ?? expect.unreachable())
  return stages.scores.slice(0, -1).map((_, gate) => {
    const { scores, context } = showAllRows(stages, gate)
    const weightNorms = Array.from({ length: scores.classCount }, () => 1)
    const rule = createGateRule(family, family.fit({ scores, targets, weightNorms, ...context }), 0)
    return { ...rule, threshold: chooseThreshold(rule.score(scores, context)) }
  })
}

function fitEnd({ end }: PolicyFamily, stages: StageRows): EndRule | undefined {
  const { scores, context } = createInput(stages.scores)
  return end && { answer: end.createAnswer(end.fit({ scores, targets: argmaxRows(scores), ...context })) }
}

interface Outcome {
  readonly exit: number
  readonly scores: Float32Array
}

/** Where each row leaves and with what, from the scores of all rows at all gates. */
function findOutcomes(rules: readonly GateRule[], end: EndRule | undefined, stages: StageRows): Outcome[] {
  const gates = rules.map(({ score, answer, threshold }, gate) => {
    const { scores, context } = showAllRows(stages, gate)
    return { values: score(scores, context), answers: answer?.(scores, context) ?? scores, threshold }
  })
  const { scores: final, context } = createInput(stages.scores)
  const atEnd = end?.answer(final, context) ?? final
  return Array.from({ length: rows }, (_, row) => {
    const exit = gates.findIndex(({ values, threshold }) => (values[row] ?? Number.NaN) >= threshold)
    if (exit < 0) return { exit: gates.length, scores: getScoresRow(atEnd, row) }
    return { exit, scores: getScoresRow(gates[exit]?.answers ?? expect.unreachable(), row) }
  })
}
