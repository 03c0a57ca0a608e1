import { evaluateAnswerExpression, evaluateScoreExpression, type JsonObject } from '@sluice/core'
import { expect } from 'vitest'
import { forEachEnd } from './end-cases.ts'
import { checkInputs, type FamilyCase, type FamilyContext, forEachGate } from './family-context.ts'
import { createExtremeInput, createGateSample, describeInput, type GateInput } from './score-samples.ts'

/** What a family says as data must be what it computes; families may leave expressions out. */
export const expressionCases: readonly FamilyCase[] = [
  {
    name: 'the exit score as an expression is the exit score, of extreme class scores too',
    run: (context) =>
      forEachInput(context, (parameters, { scores, context: { earlier, features } }) => {
        const { family } = context
        const expression = family.expressScore?.(parameters, scores.classCount)
        if (expression === undefined) return
        const expected = family.createScore(parameters)(scores, { earlier, features })
        expectNear(evaluateScoreExpression(expression, scores, earlier), expected)
      }),
  },
  {
    name: 'the answer as an expression is the answer, to extreme class scores too',
    run: (context) =>
      forEachInput(context, (parameters, { scores, context: { earlier, features } }) => {
        const { family } = context
        const expression = family.expressAnswer?.(parameters, scores.classCount)
        if (expression === undefined) return
        const expected = family.createAnswer?.(parameters)(scores, { earlier, features }) ?? scores
        expectNear(evaluateAnswerExpression(expression, scores, earlier).data, expected.data)
      }),
  },
  {
    name: 'the answer at the end as an expression is that answer, to extreme class scores too',
    run: (context) =>
      forEachEnd(context, (end, sample, parameters) => {
        const { classCount } = sample.scores
        const expression = end.express?.(parameters, classCount)
        if (expression === undefined) return
        for (const input of [describeInput(sample), createExtremeInput(classCount, context.gateCount)]) {
          const { scores, context: seen } = input
          const expected = end.createAnswer(parameters)(scores, seen)
          expectNear(evaluateAnswerExpression(expression, scores, seen.earlier).data, expected.data)
        }
      }),
  },
]

/** Random inputs and an extreme one at every gate, with parameters fitted for it. */
function forEachInput(context: FamilyContext, check: (parameters: JsonObject, input: GateInput) => void): void {
  const fitted = new Map<string, JsonObject>()
  forEachGate(context, (classCount, earlierCount) => {
    const parameters = context.family.fit(createGateSample(11, classCount, earlierCount))
    fitted.set(`${[classCount, earlierCount]}`, parameters)
    check(parameters, createExtremeInput(classCount, earlierCount))
  })
  checkInputs(context, (_, input, earlierCount) =>
    check(fitted.get(`${[input.scores.classCount, earlierCount]}`) ?? expect.unreachable(), input),
  )
}

/** Both compute in double precision and round to single; the order of operations differs. */
const tolerance = 1e-6

function expectNear(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length)
  for (const [place, value] of actual.entries()) {
    const wanted = expected[place] as number
    const error = Math.abs(value - wanted) / Math.max(1, Math.abs(wanted))
    expect(error, `place ${place}: ${value} for ${wanted}`).toBeLessThanOrEqual(tolerance)
  }
}
