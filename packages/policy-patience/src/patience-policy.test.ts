import { describePolicy } from '@sluice/conformance'
import { InvalidArgumentError } from '@sluice/core'
import { expect, it } from 'vitest'
import { createPatiencePolicy } from './patience-policy.ts'

describePolicy('patience 1', () => createPatiencePolicy({ patience: 1 }))
describePolicy('patience 2', () => createPatiencePolicy({ patience: 2 }), { gateCount: 5 })

/** Feeds one row's answers at the gates; returns the gate at which it leaves, or the number of gates. */
function findExit(patience: number, answers: readonly number[]): number {
  const policy = createPatiencePolicy({ patience })
  let state = policy.init(1)
  for (const [stage, answer] of answers.entries()) {
    const scores = { data: Float32Array.from([0, 0, 0].with(answer, 1)), rows: 1, classCount: 3 }
    const decision = policy.decide({ stage, scores, rowIndices: Uint32Array.of(0), macsSpent: 1 }, state)
    if (decision.exit[0] === 1) return stage
    state = decision.state
  }
  return answers.length
}

it('lets a row leave once its answer has stayed the same so many times in a row', () => {
  expect(findExit(1, [2, 2, 0, 0])).toBe(1)
  expect(findExit(2, [2, 2, 2, 0])).toBe(2)
  expect(findExit(3, [2, 2, 2, 2])).toBe(3)
})

it('starts to count anew where the answer changes', () => {
  expect(findExit(1, [0, 1, 0, 0])).toBe(3)
  expect(findExit(2, [1, 1, 0, 0, 1, 1, 1])).toBe(6)
  expect(findExit(2, [1, 1, 0, 0])).toBe(4)
})

it('remembers rows by their place in the batch', () => {
  const policy = createPatiencePolicy({ patience: 1 })
  const first = { data: Float32Array.of(1, 0, 0, 1, 1, 0), rows: 3, classCount: 2 }
  const { state } = policy.decide(
    { stage: 0, scores: first, rowIndices: Uint32Array.of(0, 1, 2), macsSpent: 1 },
    policy.init(3),
  )
  expect(state).toEqual({ answers: Int32Array.of(0, 1, 0), agreements: Uint32Array.of(0, 0, 0) })
  const second = { data: Float32Array.of(0, 1, 0, 1), rows: 2, classCount: 2 }
  const decision = policy.decide({ stage: 1, scores: second, rowIndices: Uint32Array.of(1, 2), macsSpent: 2 }, state)
  expect(decision.exit).toEqual(Uint8Array.of(1, 0))
  expect(decision.state).toEqual({ answers: Int32Array.of(0, 1, 1), agreements: Uint32Array.of(0, 1, 0) })
})

it.each([0, -1, 1.5, Number.NaN])('refuses the patience %d', (patience) => {
  expect(() => createPatiencePolicy({ patience })).toThrow(InvalidArgumentError)
})
