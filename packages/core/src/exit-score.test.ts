import { expect, it, vi } from 'vitest'
import type { ClassScores } from './class-scores.ts'
import { createThresholdPolicy, type ExitScore } from './exit-score.ts'

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
