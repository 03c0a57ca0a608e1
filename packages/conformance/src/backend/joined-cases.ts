import {
  type ClassScores,
  createGatedModel,
  createThresholdPolicy,
  DisposedError,
  evaluateAnswerExpression,
  evaluateScoreExpression,
  type GateRule,
  replaceScores,
  type ScoreExpression,
} from '@sluice/core'
import { computeReferenceScores } from '@sluice/core/reference'
import fc from 'fast-check'
import { expect } from 'vitest'
import { getScoresRow } from '../rows.ts'
import { type BackendCase, checkScenarios, expectClose, withModel } from './backend-context.ts'
import { computeExitScores, createExample, type Scenario, scenarios } from './scenario.ts'

/** How far the greatest class score is above a quarter of the sum: no gate of a policy, but one that every class counts in. */
const lead: ScoreExpression = {
  operator: 'subtract',
  left: { operator: 'row-maximum', of: 'scores' },
  right: { operator: 'row-sum', of: { operator: 'multiply', left: 'scores', right: 0.25 } },
}
const computeLead = (scores: ClassScores) => evaluateScoreExpression(lead, scores)

/** Scenarios with a number from 0 to 1 for each gate, by which some of the rows stay. */
const scenariosWithShares: fc.Arbitrary<Scenario & { readonly shares: readonly number[] }> = fc
  .tuple(scenarios, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }))
  .map(([scenario, shares]) => ({ ...scenario, shares }))

/** Gates said as data, which a backend may decide by itself; whoever decides, the answers are those of the reference. */
export const joinedCases: readonly BackendCase[] = [
  {
    name: 'gates said as data let go whom their scores say, with the answers of their stages',
    run: (context) =>
      checkScenarios(context, scenariosWithShares, async (model, { shares, ...scenario }) => {
        const { network, batch } = scenario
        const values = computeReferenceScores(network, batch).slice(0, -1).map(computeLead)
        const thresholds = values.map((each, gate) => chooseThreshold(each, shares[gate] ?? expect.unreachable()))
        const exits = scenario.exits.map((_, row) => {
          const gate = values.findIndex((each, index) => (each[row] as number) >= (thresholds[index] as number))
          return gate < 0 ? network.stages.length - 1 : gate
        })
        const rules = thresholds.map((threshold) => ({ score: computeLead, expression: lead, threshold }))
        const gated = createGatedModel({ model, policy: createThresholdPolicy('lead', rules) })
        const predictions = await gated.predict(batch)
        expect(Array.from(predictions.exits)).toEqual(exits)
        expectClose(predictions.scores, computeExitScores({ ...scenario, exits }), context)
      }),
  },
  {
    name: 'gates and an end said as data look at the gates in front that stand, and answer with what they see',
    run: (context) =>
      checkScenarios(context, scenariosWithShares, async (model, { shares, network, batch }) => {
        const stages = computeReferenceScores(network, batch)
        const isOff = (gate: number) => gate < stages.length - 1 && (shares[gate] as number) < 0.25
        const mixes = stages.map((scores, index) => {
          const earlier = stages.slice(0, index).filter((_, gate) => !isOff(gate))
          const rule = createMixRule(earlier.length)
          const values = rule.score(scores, { earlier })
          const threshold = isOff(index) ? Number.POSITIVE_INFINITY : chooseThreshold(values, shares[index] ?? 0)
          return { rule: { ...rule, threshold }, values, answers: rule.answer(scores, { earlier }) }
        })
        const rules = mixes.slice(0, -1).map(({ rule }) => rule)
        const { answer, answerExpression } = createMixRule(rules.filter((_, gate) => !isOff(gate)).length)
        const policy = createThresholdPolicy('mix', rules, { answer, expression: answerExpression })
        const predictions = await createGatedModel({ model, policy }).predict(batch)

        const exits = Array.from({ length: batch.dims[0] ?? 0 }, (_, row) => {
          const gate = mixes.slice(0, -1).findIndex(({ rule, values }) => (values[row] as number) >= rule.threshold)
          return gate < 0 ? rules.length : gate
        })
        expect(Array.from(predictions.exits)).toEqual(exits)
        const rows = exits.map((exit, row) => getScoresRow((mixes[exit] ?? expect.unreachable()).answers, row))
        const data = Float32Array.from(rows.flatMap((row) => Array.from(row)))
        expectClose(predictions.scores, { ...predictions.scores, data }, context)
      }),
  },
  {
    name: 'gates said as data are of no use once the model is disposed',
    async run(context) {
      const { network, batch } = createExample()
      let predict = (): Promise<unknown> => expect.unreachable()
      await withModel(context, network, async (model) => {
        const gated = createGatedModel({ model, policy: createThresholdPolicy('never', []) })
        predict = () => gated.predict(batch)
        await predict()
      })
      await expect(predict()).rejects.toBeInstanceOf(DisposedError)
    },
  },
]

/** Looks at class scores and a part of those of each gate in front, the nearer the more, and answers with that. */
function createMixRule(earlierCount: number) {
  const distances = Array.from({ length: earlierCount }, (_, gate) => gate + 1)
  const mix = distances.reduce<ScoreExpression>((sum, earlier) => {
    const part = { operator: 'divide', left: { earlier }, right: 1 + earlier } as const
    return { operator: 'add', left: sum, right: part }
  }, 'scores')
  const expression = replaceScores(lead, mix)
  return {
    score: (scores, context) => evaluateScoreExpression(expression, scores, context?.earlier),
    expression,
    answer: (scores, context) => evaluateAnswerExpression(mix, scores, context?.earlier),
    answerExpression: mix,
    usesEarlierGates: true,
  } satisfies Omit<GateRule, 'threshold'>
}

/** Half way between two neighbours among the sorted values, or beyond their ends, so that rounding decides nothing. */
function chooseThreshold(values: Float32Array, share: number): number {
  const sorted = [...new Set(values)].sort((a, b) => a - b)
  const place = Math.round(share * sorted.length)
  const [below = (sorted[0] as number) - 1, above = below + 1] = [sorted[place - 1], sorted[place]]
  return (below + above) / 2
}
