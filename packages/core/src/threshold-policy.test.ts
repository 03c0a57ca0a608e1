import { expect, it, vi } from 'vitest'
import type { ClassScores } from './class-scores.ts'
import type { Observation } from './exit-policy.ts'
import { type ExitAnswer, type ExitScore, noContext } from './exit-score.ts'
import { createThresholdPolicy, type GateRule } from './threshold-policy.ts'

const scores: ClassScores = { data: Float32Array.of(0.1, 0.5, 0.9), rows: 3, classCount: 1 }
const firstScore: ExitScore = ({ data }) => data

function decide(threshold: number, score = firstScore, stage = 0): number[] {
  const policy = createThresholdPolicy('first', [{ score, threshold }])
  return Array.from(policy.decide({ stage, scores, rowIndices: Uint32Array.of(0, 1, 2), macsSpent: 1 }, null).exit)
}

it('lets a row leave when its score reaches the threshold', () => {
  expect(decide(0.5)).toEqual([0, 1, 1])
})

it('never fires at a threshold of Infinity, and does not compute the score then', () => {
  const score = vi.fn(() => Float32Array.of(Number.POSITIVE_INFINITY, 0, 0))
  expect(decide(Number.POSITIVE_INFINITY, score)).toEqual([0, 0, 0])
  expect(score).not.toHaveBeenCalled()
})

it('keeps a row whose score is not a number', () => {
  expect(decide(0, () => Float32Array.of(Number.NaN, 1, 1))).toEqual([0, 1, 1])
})

it('lets nobody leave at a stage without a rule', () => {
  expect(decide(0, firstScore, 1)).toEqual([0, 0, 0])
})

const sumAll: ExitAnswer = (own, { earlier } = noContext) => ({
  ...own,
  data: own.data.map((value, row) => earlier.reduce((sum, { data }) => sum + (data[row] ?? 0), value)),
})

/** Scores 1 where the row's class score has not fallen since the gate before, else 0, and answers with the sum of all gates. */
const risingRule: GateRule = {
  score: (own, { earlier } = noContext) => {
    const before = earlier.at(-1)
    return own.data.map((value, row) => (value >= (before?.data[row] ?? Number.POSITIVE_INFINITY) ? 1 : 0))
  },
  answer: sumAll,
  threshold: 1,
  usesEarlierGates: true,
}

function observe(stage: number, values: readonly number[], rows: readonly number[]): Observation {
  const observed = { data: Float32Array.from(values), rows: values.length, classCount: 1 }
  return { stage, scores: observed, rowIndices: Uint32Array.from(rows), macsSpent: 1 }
}

it('shows a gate the scores that its rows had at the gates in front, and leaves the state it was given alone', () => {
  const policy = createThresholdPolicy('rising', [risingRule, risingRule, risingRule])
  const start = policy.init(4)
  const first = policy.decide(observe(0, [10, 20, 30, 40], [0, 1, 2, 3]), start)
  expect(Array.from(first.exit)).toEqual([0, 0, 0, 0])
  const second = policy.decide(observe(1, [11, 25, 25], [0, 1, 2]), first.state)
  expect(Array.from(second.exit)).toEqual([1, 1, 0])
  expect(Array.from(second.scores?.data ?? [])).toEqual([21, 45, 55])
  const third = policy.decide(observe(2, [26], [2]), second.state)
  expect(Array.from(third.exit)).toEqual([1])
  expect(Array.from(third.scores?.data ?? [])).toEqual([81])
  expect(policy.decide(observe(1, [25], [2]), first.state)).toEqual(policy.decide(observe(1, [25], [2]), first.state))
  expect(start).toEqual([])
})

it('does not count a gate that is off among the earlier ones', () => {
  const off = { ...risingRule, threshold: Number.POSITIVE_INFINITY }
  const policy = createThresholdPolicy('rising', [risingRule, off, risingRule])
  let decision = policy.decide(observe(0, [5], [0]), policy.init(1))
  decision = policy.decide(observe(1, [9], [0]), decision.state)
  decision = policy.decide(observe(2, [6], [0]), decision.state)
  expect(Array.from(decision.exit)).toEqual([1])
  expect(Array.from(decision.scores?.data ?? [])).toEqual([11])
})

it('shows a gate the pooled features of its rows, and says whether any gate uses them', () => {
  const score: ExitScore = (_, context) => context?.features?.data ?? Float32Array.of(0, 0)
  const policy = createThresholdPolicy('pooled', [{ score, threshold: 1, usesFeatures: true }])
  const features = { data: Float32Array.of(0.5, 2), rows: 2, width: 1 }
  expect(Array.from(policy.decide({ ...observe(0, [1, 1], [0, 1]), features }, null).exit)).toEqual([0, 1])
  expect(policy.usesFeatures).toBe(true)
  expect(createThresholdPolicy('first', [{ score: firstScore, threshold: 1 }]).usesFeatures).toBe(false)
})

it('keeps no scores where no gate looks back', () => {
  const policy = createThresholdPolicy('first', [{ score: firstScore, threshold: 2 }])
  expect(policy.init(3)).toBeNull()
  expect(policy.decide(observe(0, [1], [0]), null).state).toBeNull()
})

it('answers rows that reach the end from their scores there and at the gates in front, where asked', () => {
  const policy = createThresholdPolicy('first', [{ score: firstScore, threshold: 30 }], { answer: sumAll })
  const { exit, scores: answers, state } = policy.decide(observe(0, [10, 40, 20], [0, 1, 2]), policy.init(3))
  expect({ exit: Array.from(exit), answers }).toEqual({ exit: [0, 1, 0], answers: undefined })
  expect(Array.from(policy.finish?.(observe(1, [1, 2], [0, 2]), state).data ?? [])).toEqual([11, 22])
  expect(createThresholdPolicy('first', []).finish).toBeUndefined()
})

it('says itself as data where every rule that may fire, and the end, can', () => {
  const expression = { operator: 'row-maximum', of: 'scores' } as const
  const rule: GateRule = { score: firstScore, expression, threshold: 0.5 }
  const off: GateRule = { score: firstScore, threshold: Number.POSITIVE_INFINITY }
  const gate = { score: expression, threshold: 0.5 }
  const sum = { operator: 'add', left: 'scores', right: { earlier: 1 } } as const
  expect(createThresholdPolicy('data', [rule, off]).expression).toEqual({ gates: [gate, null] })
  const answering = { ...rule, answer: sumAll, answerExpression: sum }
  const end = { answer: sumAll, expression: sum }
  const answered = { gates: [null, { ...gate, answer: sum }], end: sum }
  expect(createThresholdPolicy('answers', [off, answering], end).expression).toEqual(answered)
  expect(createThresholdPolicy('code', [rule, { score: firstScore, threshold: 0 }]).expression).toBeUndefined()
  expect(createThresholdPolicy('answer', [{ ...rule, answer: sumAll }]).expression).toBeUndefined()
  expect(createThresholdPolicy('end', [rule], { answer: sumAll }).expression).toBeUndefined()
})
