import { type EndAnswerFamily, type GateSample, InvalidArgumentError, type JsonObject } from '@sluice/core'
import { expect } from 'vitest'
import { selectScores } from '../rows.ts'
import { answerInput, expectValidAnswer } from './answer-cases.ts'
import type { FamilyCase, FamilyContext } from './family-context.ts'
import { createExtremeInput, createGateSample, describeInput, selectInput } from './score-samples.ts'

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
        const extreme = createExtremeInput(sample.scores.classCount, context.gateCount)
        for (const input of [describeInput(sample), extreme, selectInput(extreme, [])]) expectValidAnswer(answer, input)
      }),
  },
  {
    name: 'the answer of a row at the end depends neither on its neighbours nor on its position',
    run: (context) =>
      forEachEnd(context, (end, sample, parameters) => {
        const answer = end.createAnswer(parameters)
        const order = Array.from({ length: sample.scores.rows }, (_, row) => row).reverse()
        const input = describeInput(sample)
        const all = answerInput(answer, input)
        const turned = answerInput(answer, selectInput(input, order))
        expect(selectScores(turned, order)).toEqual(all)
        expect(answerInput(answer, selectInput(input, [0])).data).toEqual(all.data.slice(0, all.classCount))
      }),
  },
]

/** The end of a family that answers there, with a sample and what is fitted on it, for every number of classes. */
export function forEachEnd(
  { family: { end }, classCounts, gateCount }: FamilyContext,
  check: (end: EndAnswerFamily, sample: GateSample, parameters: JsonObject) => void,
): void {
  if (end === undefined) return
  for (const classCount of classCounts) {
    const { features: _, ...sample } = createGateSample(13, classCount, gateCount)
    check(end, sample, end.fit(sample))
  }
}

function answerEnd(end: EndAnswerFamily, parameters: JsonObject, sample: GateSample) {
  return answerInput(end.createAnswer(parameters), describeInput(sample))
}
