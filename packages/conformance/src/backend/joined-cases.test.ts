import type { WholeNetwork } from '@sluice/core'
import { expect, it } from 'vitest'
import { findModelFailures, type SpoiltModel } from '../testing/find-failures.ts'
import { joinedCases } from './joined-cases.ts'

const [answers = '', disposal = ''] = joinedCases.map(({ name }) => name)

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
      joinGates: (gates) =>
        model.joinGates?.(gates.map((gate) => ({ ...gate, threshold: Number.POSITIVE_INFINITY }))) ??
        expect.unreachable(),
    }),
  ],
  [
    'answers with other scores',
    answers,
    (model) => ({ joinGates: (gates) => change(model.joinGates?.(gates), ({ scores }) => scores.data.fill(0.5)) }),
  ],
  [
    'runs although the model is disposed',
    disposal,
    (model) => {
      let last: ReturnType<WholeNetwork> | undefined
      return { joinGates: (gates) => (batch) => (last ??= model.joinGates?.(gates)(batch) ?? expect.unreachable()) }
    },
  ],
]

it.each(spoiltModels)('finds the fault of a model that %s', async (_, failingCase, spoil) => {
  expect(await findModelFailures(spoil)).toContain(failingCase)
})
