import {
  type ClassScores,
  type EndAnswerFamily,
  type ExitPolicy,
  type ExitScore,
  InvalidArgumentError,
  type JsonObject,
  noContext,
  type PolicyFamily,
  type ScoreExpression,
} from '@sluice/core'
import { expect, it } from 'vitest'
import { bindCases } from '../suite.ts'
import { findFailures } from '../testing/find-failures.ts'
import { decisionCases } from './decision-cases.ts'
import { bindFamilyCases, describePolicy } from './describe-policy.ts'

/** A sound family: the highest score, divided by a fitted number. */
const highest: PolicyFamily = {
  specVersion: 'v1',
  name: 'highest',
  range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  fit: ({ scores }) => ({ scale: 1 + scores.rows }),
  createScore({ scale }) {
    if (typeof scale !== 'number') throw new InvalidArgumentError('scale is not a number')
    return mapRows((row) => Math.max(...row) / scale)
  },
}

/** A sound policy with a state: leaves when two gates in a row name the same class. */
const agreeing: ExitPolicy<readonly number[]> = {
  specVersion: 'v1',
  name: 'agreeing',
  init: (batchSize) => Array.from({ length: batchSize }, () => -1),
  decide({ scores, rowIndices }, last) {
    const best = mapRows((row) => row.indexOf(Math.max(...row)))(scores)
    const state = last.with(0, last[0] ?? -1)
    const exit = Uint8Array.from(rowIndices, (row, position) => (state[row] === best[position] ? 1 : 0))
    rowIndices.forEach((row, position) => {
      state[row] = best[position] ?? -1
    })
    return { exit, state }
  },
}

function mapRows(rate: (row: Float32Array) => number): ExitScore {
  return ({ data, rows, classCount }) =>
    Float32Array.from({ length: rows }, (_, row) => rate(data.subarray(row * classCount, (row + 1) * classCount)))
}

/** A sound family that looks back: scores and answers with the sum of the gate's and all earlier gates' scores. */
const summing: PolicyFamily = {
  ...highest,
  name: 'summing',
  usesEarlierGates: true,
  fit: ({ earlier = [] }) => ({ scale: 1 + earlier.length }),
  createScore(parameters) {
    const score = highest.createScore(parameters)
    return (scores, context) => score(sumScores(scores, context))
  },
  createAnswer: () => sumScores,
  expressScore: (parameters, _) => ({
    operator: 'divide',
    left: { operator: 'row-maximum', of: expressSum(parameters) },
    right: Number(parameters.scale),
  }),
  expressAnswer: expressSum,
}

/** The same at the end. */
const sumAtEnd: EndAnswerFamily = {
  fit: ({ earlier = [] }) => ({ scale: 1 + earlier.length }),
  createAnswer({ scale }) {
    if (typeof scale !== 'number') throw new InvalidArgumentError('scale is not a number')
    return sumScores
  },
  express: expressSum,
}

/** {@link sumScores} of as many gates as the scale says. */
function expressSum({ scale }: JsonObject): ScoreExpression {
  const distances = Array.from({ length: Number(scale) - 1 }, (_, gate) => gate + 1)
  return distances.reduce<ScoreExpression>(
    (sum, earlier) => ({ operator: 'add', left: sum, right: { earlier } }),
    'scores',
  )
}

function sumScores(own: ClassScores, { earlier } = noContext): ClassScores {
  return { ...own, data: own.data.map((value, i) => earlier.reduce((sum, { data }) => sum + (data[i] ?? 0), value)) }
}

describePolicy('a sound family', highest)
describePolicy('a sound family that looks back', summing)
describePolicy('a sound family that answers at the end, too', { ...summing, end: sumAtEnd })
describePolicy('a sound policy with a state', () => agreeing)

const options = { classCounts: [1, 2, 5], gateCount: 3, runs: 20 }

it.each<[string, string, Partial<PolicyFamily>]>([
  [
    'divides by the spread of the scores',
    'the exit score of extreme class scores is a finite number within the range',
    { createScore: () => mapRows((row) => 1 / (Math.max(...row) - Math.min(...row))) },
  ],
  [
    'overflows in a softmax',
    'the exit score of extreme class scores is a finite number within the range',
    {
      createScore: () => mapRows((row) => Math.exp(row[0] ?? 0) / row.reduce((sum, value) => sum + Math.exp(value), 0)),
    },
  ],
  ['leaves its range', 'the exit score is one finite number per row within the range of the family', { range: [0, 1] }],
  [
    'centres a row by its neighbours',
    'the exit score of a row depends neither on its neighbours nor on its position',
    {
      createScore: () => (scores) => {
        const mean = scores.data.reduce((sum, value) => sum + value, 0) / Math.max(1, scores.data.length)
        return mapRows((row) => Math.max(...row) - mean)(scores)
      },
    },
  ],
  [
    'sorts its input in place',
    'the exit score is pure: same in, same out, input unchanged, memory of its own',
    { createScore: () => mapRows((row) => row.sort().at(-1) ?? 0) },
  ],
  [
    'gives one buffer again and again',
    'the exit score is pure: same in, same out, input unchanged, memory of its own',
    {
      createScore: () => {
        const buffer = new Float32Array(1000)
        return ({ rows, data }) => buffer.subarray(0, rows).fill(data[0] ?? 0)
      },
    },
  ],
  [
    'fits what JSON cannot hold',
    'fitted parameters survive JSON and give the same exit scores afterwards',
    { fit: () => ({ scale: Number.NaN }), createScore: () => mapRows((row) => row[0] ?? 0) },
  ],
  [
    'takes any parameters',
    'parameters that fit never writes are refused',
    { createScore: () => mapRows((row) => Math.max(...row)) },
  ],
])('catches a family that %s', async (_, expectedFailure, spoilt) => {
  expect(await findFailures(bindFamilyCases({ ...options, family: { ...highest, ...spoilt } }))).toContain(
    expectedFailure,
  )
})

it.each<[string, string, Partial<PolicyFamily>]>([
  [
    'does not say that it looks back',
    'the runner lets the same rows leave with the same answers, all at once or one by one, as scores of whole gates say',
    { usesEarlierGates: false },
  ],
  [
    'changes the scores of earlier gates',
    'the exit score is pure: same in, same out, input unchanged, memory of its own',
    {
      createScore:
        () =>
        (scores, { earlier } = noContext) => {
          earlier[0]?.data.fill(0)
          return new Float32Array(scores.rows)
        },
    },
  ],
  [
    'fails once there are earlier gates',
    'the exit score is one finite number per row within the range of the family',
    {
      createScore:
        () =>
        (_scores, { earlier } = noContext) =>
          Float32Array.of(earlier.length / 0),
    },
  ],
  [
    'answers with numbers that are not finite',
    'the answer is one finite class score per row and class',
    { createAnswer: () => (scores) => ({ ...scores, data: scores.data.map(Math.log) }) },
  ],
  [
    'answers a row with its neighbours',
    'the answer of a row depends neither on its neighbours nor on its position',
    { createAnswer: () => (scores) => ({ ...scores, data: scores.data.map(() => scores.rows) }) },
  ],
  [
    'says a score of its own class scores alone',
    'the exit score as an expression is the exit score, of extreme class scores too',
    { expressScore: () => ({ operator: 'row-maximum', of: 'scores' }) },
  ],
  [
    'says another answer than it gives',
    'the answer as an expression is the answer, to extreme class scores too',
    { expressAnswer: () => 'scores' },
  ],
  [
    'says another answer at the end than it gives',
    'the answer at the end as an expression is that answer, to extreme class scores too',
    { end: { ...sumAtEnd, express: () => 'scores' } },
  ],
  [
    'adds to its input',
    'the answer is pure: same in, same out, input unchanged',
    {
      createAnswer: () => (scores) => {
        scores.data.forEach((value, i) => {
          scores.data[i] = value + 1
        })
        return scores
      },
    },
  ],
])('catches a family that looks back and %s', async (_, expectedFailure, spoilt) => {
  expect(await findFailures(bindFamilyCases({ ...options, family: { ...summing, ...spoilt } }))).toContain(
    expectedFailure,
  )
})

it('catches a family whose fit is not pure', async () => {
  let calls = 0
  const fit = (): JsonObject => ({ scale: ++calls })
  const failures = await findFailures(bindFamilyCases({ ...options, family: { ...highest, fit } }))
  expect(failures).toContain('fit is pure: same sample, same parameters, sample unchanged')
})

it.each<[string, string, ExitPolicy['decide']]>([
  [
    'returns a short mask',
    'every decision holds one 0 or 1 per row',
    ({ scores }, state) => ({ exit: new Uint8Array(scores.rows - 1), state }),
  ],
  [
    'lets only the first row leave',
    'a row leaves where it would leave in another order of the rows',
    ({ scores }, state) => ({ exit: new Uint8Array(scores.rows).fill(1, 0, 1), state }),
  ],
  [
    'keeps everybody in a large batch',
    'a row leaves where it would leave alone',
    ({ scores }, state) => ({ exit: new Uint8Array(scores.rows).fill(scores.rows > 1 ? 0 : 1), state }),
  ],
  [
    'answers with fewer rows than it saw',
    "class scores that rows answer with instead of the gate's are finite, one row each",
    ({ scores }, state) => ({ exit: new Uint8Array(scores.rows), state, scores: { ...scores, rows: scores.rows - 1 } }),
  ],
])('catches a policy that %s', async (_, expectedFailure, decide) => {
  const createPolicy = (): ExitPolicy => ({ specVersion: 'v1', name: 'broken', init: () => null, decide })
  expect(await findFailures(bindCases(decisionCases, { ...options, createPolicy }))).toContain(expectedFailure)
})

it('catches a policy that changes its state in place', async () => {
  const createPolicy = (): ExitPolicy<{ gates: number }> => ({
    specVersion: 'v1',
    name: 'counting',
    init: () => ({ gates: 0 }),
    decide({ scores }, state) {
      state.gates += 1
      return { exit: new Uint8Array(scores.rows), state }
    },
  })
  const failures = await findFailures(bindCases(decisionCases, { ...options, createPolicy }))
  expect(failures).toContain('the same observation and state give the same decision and stay unchanged')
})

it('catches a policy that claims another contract version', async () => {
  const createPolicy = (): ExitPolicy => ({ ...(agreeing as ExitPolicy), specVersion: 'v2' as 'v1' })
  const failures = await findFailures(bindCases(decisionCases, { ...options, createPolicy }))
  expect(failures).toEqual(['the policy states its contract version and a name'])
})
