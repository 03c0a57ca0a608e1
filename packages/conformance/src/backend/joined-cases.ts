import {
  type ClassScores,
  createGatedModel,
  createThresholdPolicy,
  DisposedError,
  evaluateScoreExpression,
  type ScoreExpression,
} from '@sluice/core'
import { computeReferenceScores } from '@sluice/core/reference'
import fc from 'fast-check'
import { expect } from 'vitest'
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

/** Half way between two neighbours among the sorted values, or beyond their ends, so that rounding decides nothing. */
function chooseThreshold(values: Float32Array, share: number): number {
  const sorted = [...new Set(values)].sort((a, b) => a - b)
  const place = Math.round(share * sorted.length)
  const [below = (sorted[0] as number) - 1, above = below + 1] = [sorted[place - 1], sorted[place]]
  return (below + above) / 2
}
