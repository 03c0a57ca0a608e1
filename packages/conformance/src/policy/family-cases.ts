import {
  type ClassScores,
  createThresholdPolicy,
  type ExitScore,
  evaluateScoreExpression,
  type GateSample,
  InvalidArgumentError,
  type JsonObject,
  type PolicyFamily,
} from '@sluice/core'
import fc from 'fast-check'
import { expect } from 'vitest'
import { selectScores } from '../rows.ts'
import type { SuiteCase } from '../suite.ts'
import {
  createExtremeScores,
  createFittedScore,
  createGateSample,
  createGateScores,
  createScores,
} from './score-samples.ts'

/** What every case on a family works with. */
export interface FamilyContext {
  readonly family: PolicyFamily
  readonly classCounts: readonly number[]
  /** Random score sets per property. */
  readonly runs: number
}

type FamilyCase = SuiteCase<FamilyContext>

/** Rounding in float32 may carry a score this far beyond an end of its family's range, relative to max(1, |end|). */
const rangeTolerance = 1e-6

/** Both compute in double precision and round to single; the order of operations differs. */
const expressionTolerance = 1e-6

const scoreCases: readonly FamilyCase[] = [
  {
    name: 'the exit score is one finite number per row within the range of the family',
    run: (context) => checkScores(context, (score, scores) => expectValidScores(context.family, score, scores)),
  },
  {
    name: 'the exit score of extreme class scores is a finite number within the range',
    run({ family, classCounts }) {
      for (const classCount of classCounts) {
        expectValidScores(family, createFittedScore(family, classCount), createExtremeScores(classCount))
      }
    },
  },
  {
    name: 'zero rows have zero exit scores',
    run({ family, classCounts }) {
      for (const classCount of classCounts) {
        const none = { data: new Float32Array(0), rows: 0, classCount }
        expect(createFittedScore(family, classCount)(none)).toEqual(new Float32Array(0))
      }
    },
  },
  {
    name: 'the exit score of a row depends neither on its neighbours nor on its position',
    run: (context) =>
      checkScores(context, (score, scores) => {
        const values = score(scores)
        const rows = Array.from(values.keys())
        expect(score(selectScores(scores, rows.toReversed()))).toEqual(values.toReversed())
        for (const row of rows) expect(score(selectScores(scores, [row]))).toEqual(values.slice(row, row + 1))
      }),
  },
  {
    name: 'the exit score is pure: same in, same out, input unchanged, memory of its own',
    run: (context) =>
      checkScores(context, (score, scores) => {
        const before = scores.data.slice()
        const first = score(scores)
        const kept = first.slice()
        const second = score(scores)
        expect(second).toEqual(kept)
        second.fill(-1)
        expect(first).toEqual(kept)
        expect(scores.data).toEqual(before)
      }),
  },
]

const expressionCases: readonly FamilyCase[] = [
  {
    name: 'the exit score as an expression, where there is one, is the exit score',
    run: (context) =>
      checkScores(context, (_score, scores) => {
        const { family } = context
        const parameters = family.fit(createGateSample(11, scores.classCount))
        const expression = family.expressScore?.(parameters, scores.classCount)
        if (expression === undefined) return
        const expected = family.createScore(parameters)(scores)
        for (const [row, value] of evaluateScoreExpression(expression, scores).entries()) {
          const wanted = expected[row] as number
          const tolerance = expressionTolerance * Math.max(1, Math.abs(wanted))
          expect(Math.abs(value - wanted), `row ${row}: ${value} for ${wanted}`).toBeLessThanOrEqual(tolerance)
        }
      }),
  },
]

const fitCases: readonly FamilyCase[] = [
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
        const { family } = context
        const parameters = family.fit(sample)
        const restored: JsonObject = JSON.parse(JSON.stringify(parameters))
        expect(restored).toEqual(parameters)
        expect(family.createScore(restored)(sample.scores)).toEqual(family.createScore(parameters)(sample.scores))
      }),
  },
  {
    name: 'fit copes with samples that are all right, all wrong, extreme, or a single row',
    run: (context) =>
      forEachSample(context, (sample) => {
        for (const degenerate of createDegenerateSamples(sample)) {
          const score = context.family.createScore(context.family.fit(degenerate))
          expectValidScores(context.family, score, sample.scores)
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

const thresholdCases: readonly FamilyCase[] = [
  {
    name: 'a higher threshold lets a subset of the rows leave',
    run: (context) =>
      checkScores(context, (score, scores) => {
        let previous: number[] | undefined
        for (const threshold of score(scores).toSorted()) {
          const leaving = findLeaving(score, scores, threshold)
          expect(previous ?? leaving).toEqual(expect.arrayContaining(leaving))
          previous = leaving
        }
      }),
  },
  {
    name: 'a threshold of Infinity never fires',
    run: (context) =>
      checkScores(context, (score, scores) => {
        expect(findLeaving(score, scores, Number.POSITIVE_INFINITY)).toEqual([])
      }),
  },
]

/** The contract of `PolicyFamily` and of the exit scores that it creates. */
export const familyCases: readonly FamilyCase[] = [...fitCases, ...scoreCases, ...expressionCases, ...thresholdCases]

function checkScores(
  { family, classCounts, runs }: FamilyContext,
  check: (score: ExitScore, scores: ClassScores) => void,
): void {
  const fitted = new Map(classCounts.map((classCount) => [classCount, createFittedScore(family, classCount)]))
  const property = fc.property(createGateScores(classCounts, 1), ([scores = expect.unreachable()]) => {
    check(fitted.get(scores.classCount) ?? expect.unreachable(), scores)
  })
  fc.assert(property, { seed: 20181103, numRuns: runs })
}

function forEachSample({ classCounts }: FamilyContext, check: (sample: GateSample) => void): void {
  for (const classCount of classCounts) check(createGateSample(11, classCount))
}

function createDegenerateSamples(sample: GateSample): GateSample[] {
  const { scores, targets } = sample
  const { classCount } = scores
  const [firstTarget = 0] = targets
  const extreme = createExtremeScores(classCount)
  const certain = createScores(3, 60, classCount, 1e4)
  return [
    { ...sample, targets: targets.map((_, row) => findExtreme(scores, row, Math.max)) },
    { ...sample, targets: targets.map((_, row) => findExtreme(scores, row, Math.min)) },
    { ...sample, scores: certain, targets: targets.map((_, row) => findExtreme(certain, row, Math.max)) },
    { ...sample, scores: extreme, targets: new Int32Array(extreme.rows) },
    { ...sample, scores: selectScores(scores, [0]), targets: Int32Array.of(firstTarget) },
  ]
}

/** The class whose score is the row's highest or lowest. */
function findExtreme(scores: ClassScores, row: number, pick: (...values: number[]) => number): number {
  const { data } = selectScores(scores, [row])
  return data.indexOf(pick(...data))
}

function findLeaving(score: ExitScore, scores: ClassScores, threshold: number): number[] {
  const rowIndices = Uint32Array.from({ length: scores.rows }, (_, row) => row)
  const policy = createThresholdPolicy('threshold', [{ score, threshold }])
  const { exit } = policy.decide({ stage: 0, scores, rowIndices, macsSpent: 1 }, null)
  return Array.from(rowIndices).filter((row) => exit[row] === 1)
}

function expectValidScores({ range: [low, high] }: PolicyFamily, score: ExitScore, scores: ClassScores): void {
  const values = score(scores)
  expect(values).toBeInstanceOf(Float32Array)
  expect(values.length).toBe(scores.rows)
  for (const value of values) {
    expect(Number.isFinite(value), `${value} is finite`).toBe(true)
    expect(value).toBeGreaterThanOrEqual(low - rangeTolerance * Math.max(1, Math.abs(low)))
    expect(value).toBeLessThanOrEqual(high + rangeTolerance * Math.max(1, Math.abs(high)))
  }
}
