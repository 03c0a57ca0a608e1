import { describePolicy } from '@sluice/conformance'
import { createThresholdPolicy, noContext } from '@sluice/core'
import { createRandomBatch } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { createPatienceFamily } from './patience-family.ts'
import { createPatiencePolicy } from './patience-policy.ts'

const family = createPatienceFamily()

describePolicy('patience', family, { gateCount: 4 })

const answering = (...answers: number[]) => ({
  data: Float32Array.from(answers.flatMap((answer) => [0, 0, 0].with(answer, 1))),
  rows: answers.length,
  classCount: 3,
})

it('counts the gates in a row that give the same answer as this one', () => {
  const earlier = [answering(0, 1, 2, 0), answering(0, 0, 1, 1), answering(0, 1, 2, 1)]
  const score = family.createScore({})
  expect(score(answering(0, 1, 1, 1), { earlier })).toEqual(Float32Array.of(4, 2, 1, 3))
  expect(score(answering(0, 1), noContext)).toEqual(Float32Array.of(1, 1))
})

it.each([1, 2, 3])('at the threshold one above it decides as the policy with patience %d', (patience) => {
  const gates = Array.from({ length: 5 }, (_, gate) => createRandomBatch(gate, 200, [3]).data)
  const policies = [
    createPatiencePolicy({ patience }),
    createThresholdPolicy(
      'patience',
      gates.map(() => ({ score: family.createScore({}), threshold: patience + 1, usesEarlierGates: true })),
    ),
  ]
  const exits = policies.map((policy) => {
    let state: unknown = policy.init(200)
    return gates.map((data, stage) => {
      const rowIndices = Uint32Array.from({ length: 200 }, (_, row) => row)
      const scores = { data, rows: 200, classCount: 3 }
      const decision = policy.decide({ stage, scores, rowIndices, macsSpent: 1 }, state as never)
      state = decision.state
      return decision.exit
    })
  })
  expect(exits[0]).toEqual(exits[1])
  expect(exits[0]?.at(-1)?.includes(1)).toBe(true)
})
