import { type EndAnswerFamily, InvalidArgumentError, type JsonObject } from '@sluice/core'
import { expect } from 'vitest'
import { answerInput, expectValidAnswer } from './answer-cases.ts'
import type { FamilyCase, FamilyContext } from './family-context.ts'
import { createExtremeInput, createGateSample, type GateInput, selectInput } from './score-samples.ts'

/** The contract of what rows that reach the end answer with, where a family says so. */
export const endCases: readonly FamilyCase[] = [
  {
    name: 'fit at the end is pure, and its parameters survive JSON and give the same answers afterwards',
    run: (context) =>
      forEachEnd(context, (end, sample, parameters) => {
        const before = structuredClone(sample)
        expect(end.fit(sample)).toEqual(parameters)
        expect(sample).toEqual(before)
        const restored: JsonObject = JSON.parse(JSON.stringify(parameters))
        expect(answerEnd(end, restored, sample)).toEqual(answerEnd(end, parameters, sample))
      }),
  },
  {
    name: 'parameters of the end that fit never writes are refused',
    run: (context) =>
      forEachEnd(context, (end, _, parameters) => {
        for (const key of Object.keys(parameters)) {
          expect(() => end.createAnswer({ ...parameters, [key]: 'spoilt' }), key).toThrow(InvalidArgumentError)
        }
      }),
  },
  {
    name: 'the answer at the end is one finite class score per row and class, of extreme scores and of zero rows too',
    run: (context) =>
      forEachEnd(context, (end, sample, parameters) => {
        const answer = end.createAnswer(parameters)
        const extreme = createExtremeInput(sample.scores.classCount, sample.earlier.length)
        for (const input of [describeEnd(sample), extreme, selectInput(extreme, [])]) expectValidAnswer(answer, input)
      }),
  },
  {
    name: 'the answer of a row at the end depends neither on its neighbours nor on its position',
    run: (context) =>
      forEachEnd(context, (end, sample, parameters) => {
        const answer = end.createAnswer(parameters)
        const order = Array.from({ length: sample.scores.rows }, (_, row) => row).reverse()
        const input = describeEnd(sample)
        const all = answerInput(answer, input)
        const turned = answerInput(answer, selectInput(input, order))
        expect(selectInput({ scores: turned, context: { earlier: [] } }, order).scores).toEqual(all)
        expect(answerInput(answer, selectInput(input, [0])).data).toEqual(all.data.slice(0, all.classCount))
      }),
  },
]

type EndSample = ReturnType<typeof createEndSample>

function createEndSample(classCount: number, gateCount: number) {
  const { weightNorms: _, earlier = [], ...sample } = createGateSample(13, classCount, gateCount)
  return { ...sample, earlier }
}

function forEachEnd(
  { family: { end }, classCounts, gateCount }: FamilyContext,
  check: (end: EndAnswerFamily, sample: EndSample, parameters: JsonObject) => void,
): void {
  if (end === undefined) return
  for (const classCount of classCounts) {
    const sample = createEndSample(classCount, gateCount)
    check(end, sample, end.fit(sample))
  }
}

function describeEnd({ scores, earlier }: EndSample): GateInput {
  return { scores, context: { earlier } }
}

function answerEnd(end: EndAnswerFamily, parameters: JsonObject, sample: EndSample) {
  return answerInput(end.createAnswer(parameters), describeEnd(sample))
}
