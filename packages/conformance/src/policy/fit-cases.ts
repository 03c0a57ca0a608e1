import { type ClassScores, createGateRule, type GateSample, InvalidArgumentError, type JsonObject } from '@sluice/core'
import { expect } from 'vitest'
import { getScoresRow } from '../rows.ts'
import { expectValidScores, type FamilyCase, forEachSample } from './family-context.ts'
import { createExtremeInput, createFeatures, createScores, describeInput, selectInput } from './score-samples.ts'

/** What `PolicyFamily.fit` promises, and what the family says of itself. */
export const fitCases: readonly FamilyCase[] = [
  {
    name: 'the family states its contract version, a name and an ordered range',
    run({ family: { specVersion, name, range } }) {
      expect(specVersion).toBe('v1')
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/)
      expect(range[0]).toBeLessThan(range[1])
    },
  },
  {
    name: 'fit is pure: same sample, same parameters, sample unchanged',
    run: (context) =>
      forEachSample(context, (sample) => {
        const before = structuredClone(sample)
        expect(context.family.fit(sample)).toEqual(context.family.fit(sample))
        expect(sample).toEqual(before)
      }),
  },
  {
    name: 'fitted parameters survive JSON and give the same exit scores afterwards',
    run: (context) =>
      forEachSample(context, (sample) => {
        const parameters = context.family.fit(sample)
        const restored: JsonObject = JSON.parse(JSON.stringify(parameters))
        expect(restored).toEqual(parameters)
        const [before, after] = [parameters, restored].map((each) => createGateRule(context.family, each, 0))
        const { scores, context: earlier } = describeInput(sample)
        expect(after?.score(scores, earlier)).toEqual(before?.score(scores, earlier))
        expect(after?.answer?.(scores, earlier)).toEqual(before?.answer?.(scores, earlier))
      }),
  },
  {
    name: 'fit copes with samples that are all right, all wrong, extreme, or a single row',
    run: (context) =>
      forEachSample(context, (sample) => {
        const { family } = context
        for (const degenerate of createDegenerateSamples(sample)) {
          const rule = createGateRule(family, family.fit(degenerate), 0)
          expectValidScores(family, rule, describeInput(sample))
        }
      }),
  },
  {
    name: 'parameters that fit never writes are refused',
    run: (context) =>
      forEachSample(context, (sample) => {
        const parameters = context.family.fit(sample)
        for (const key of Object.keys(parameters)) {
          const spoilt = { ...parameters, [key]: 'spoilt' }
          expect(() => context.family.createScore(spoilt), key).toThrow(InvalidArgumentError)
        }
      }),
  },
]

function createDegenerateSamples(sample: GateSample): GateSample[] {
  const { scores, targets, earlier = [] } = sample
  const { classCount } = scores
  const certain = createScores(3, 60, classCount, 1e4)
  const certainBefore = earlier.map((_, gate) => createScores(4 + gate, 60, classCount, 1e4))
  const extreme = createExtremeInput(classCount, earlier.length)
  const firstRow = selectInput(describeInput(sample), [0])
  return [
    { ...sample, targets: pickTargets(scores, Math.max) },
    { ...sample, targets: pickTargets(scores, Math.min) },
    {
      ...sample,
      scores: certain,
      earlier: certainBefore,
      features: createFeatures(certain),
      targets: pickTargets(certain, Math.max),
    },
    { ...sample, scores: extreme.scores, ...extreme.context, targets: new Int32Array(extreme.scores.rows) },
    { ...sample, scores: firstRow.scores, ...firstRow.context, targets: targets.slice(0, 1) },
  ]
}

/** In every row, the class whose score is the highest or lowest. */
function pickTargets(scores: ClassScores, pick: (...values: number[]) => number): Int32Array {
  return Int32Array.from({ length: scores.rows }, (_, row) => {
    const values = getScoresRow(scores, row)
    return values.indexOf(pick(...values))
  })
}
