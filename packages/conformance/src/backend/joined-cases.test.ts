import type { WholeNetwork } from '@sluice/core'
import { expect, it } from 'vitest'
import { findModelFailures, type SpoiltModel } from '../testing/find-failures.ts'
import { joinedCases } from './joined-cases.ts'

const [answers = '', looksBack = '', disposal = ''] = joinedCases.map(({ name }) => name)

/** What a sound whole network gives, changed. */
function change(whole: WholeNetwork | undefined, spoil: (result: Awaited<ReturnType<WholeNetwork>>) => void) {
  return async (...[batch]: Parameters<WholeNetwork>) => {
    const result = await (whole ?? expect.unreachable())(batch)
    spoil(result)
    return result
  }
}

const spoiltModels: readonly SpoiltModel[] = [
  [
    'lets nobody go',
    answers,
    (model) => ({
      joinGates: ({ gates, end }) => {
        const idle = gates.map((gate) => gate && { ...gate, threshold: Number.POSITIVE_INFINITY })
        return model.joinGates?.({ gates: idle, end }) ?? expect.unreachable()
      },
    }),
  ],
  [
    'answers with other scores',
    answers,
    (model) => ({ joinGates: (policy) => change(model.joinGates?.(policy), ({ scores }) => scores.data.fill(0.5)) }),
  ],
  [
    'counts gates that are off among those in front',
    looksBack,
    (model) => ({
      joinGates: ({ gates, end }) => {
        const never = { score: 0, threshold: Number.POSITIVE_INFINITY }
        return model.joinGates?.({ gates: gates.map((gate) => gate ?? never), end }) ?? expect.unreachable()
      },
    }),
  ],
  [
    'leaves the end alone',
    looksBack,
    (model) => ({ joinGates: ({ gates }) => model.joinGates?.({ gates }) ?? expect.unreachable() }),
  ],
  [
    'runs although the model is disposed',
    disposal,
    (model) => {
      let last: ReturnType<WholeNetwork> | undefined
      return { joinGates: (policy) => (batch) => (last ??= model.joinGates?.(policy)(batch) ?? expect.unreachable()) }
    },
  ],
]

it.each(spoiltModels)('finds the fault of a model that %s', async (_, failingCase, spoil) => {
  expect(await findModelFailures(spoil)).toContain(failingCase)
})
