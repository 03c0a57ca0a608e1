import type { ClassScores, ExitAnswer, GateRule } from '@sluice/core'
import { expect } from 'vitest'
import { checkInputs, type FamilyCase, type FamilyContext, forEachGate } from './family-context.ts'
import { createExtremeInput, createFittedRule, type GateInput, selectInput } from './score-samples.ts'

/** The contract of the class scores that rows answer with instead of the gate's own, where a family gives them. */
export const answerCases: readonly FamilyCase[] = [
  {
    name: 'the answer is one finite class score per row and class',
    run: (context) => checkAnswers(context, expectValidAnswer),
  },
  {
    name: 'the answer to extreme class scores is finite, and that to zero rows empty',
    run: (context) =>
      forEachGate(context, (classCount, earlierCount) => {
        const { answer } = createFittedRule(context.family, classCount, earlierCount)
        if (answer === undefined) return
        const extreme = createExtremeInput(classCount, earlierCount)
        expectValidAnswer(answer, extreme)
        expectValidAnswer(answer, selectInput(extreme, []))
      }),
  },
  {
    name: 'the answer of a row depends neither on its neighbours nor on its position',
    run: (context) =>
      checkAnswers(context, (answer, input) => {
        const all = answer(input.scores, input.context)
        for (let row = all.rows - 1; row >= 0; row--) {
          expect(answerInput(answer, selectInput(input, [row]))).toEqual(rowOf(all, row))
        }
      }),
  },
  {
    name: 'the answer is pure: same in, same out, input unchanged',
    run: (context) =>
      checkAnswers(context, (answer, input) => {
        const before = structuredClone(input)
        const first = structuredClone(answerInput(answer, input))
        expect(answerInput(answer, input)).toEqual(first)
        expect(input).toEqual(before)
      }),
  },
]

function checkAnswers(context: FamilyContext, check: (answer: ExitAnswer, input: GateInput) => void): void {
  if (context.family.createAnswer === undefined) return
  checkInputs(context, ({ answer }: GateRule, input) => check(answer ?? expect.unreachable(), input))
}

/** What an input is answered with. */
export function answerInput(answer: ExitAnswer, { scores, context }: GateInput): ClassScores {
  return answer(scores, context)
}

/** The answer to the input is one finite class score per row and class. */
export function expectValidAnswer(answer: ExitAnswer, input: GateInput): void {
  const { data, rows, classCount } = answerInput(answer, input)
  expect({ rows, classCount }).toEqual({ rows: input.scores.rows, classCount: input.scores.classCount })
  expect(data).toBeInstanceOf(Float32Array)
  expect(data.length).toBe(input.scores.data.length)
  expect(data.every(Number.isFinite), `${data} is finite`).toBe(true)
}

function rowOf({ data, classCount }: ClassScores, row: number): ClassScores {
  return { data: data.slice(row * classCount, (row + 1) * classCount), rows: 1, classCount }
}
