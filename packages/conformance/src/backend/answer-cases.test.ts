import type { Activation } from '@sluice/core'
import { expect, it } from 'vitest'
import { selectScores } from '../rows.ts'
import { changeScores, findModelFailures, type SpoiltModel } from '../testing/find-failures.ts'

const spoiltModels: readonly SpoiltModel[] = [
  [
    'answers with the first stage throughout',
    "with no gate firing, the answers equal the unsplit network's",
    (model) => changeScores(model, (scores) => ({ ...scores, data: scores.data.map(() => 0.5) })),
  ],
  [
    'selects the first rows instead of the given ones',
    'every row gets the scores, the class and the MACs of the stage at which it exits',
    (model) => ({
      selectRows: (activation, rows) =>
        model.selectRows(
          activation,
          rows.map((_, row) => row),
        ),
    }),
  ],
  [
    'mixes a row with its neighbours',
    "a row's answer does not depend on its neighbours",
    (model) =>
      changeScores(model, ({ data, ...shape }) => {
        const mean = data.reduce((sum, value) => sum + value, 0) / data.length
        return { ...shape, data: data.map((value) => value + 0.01 * mean) }
      }),
  ],
  [
    'answers in the opposite order of the rows',
    "a row's answer does not depend on its position",
    (model) => changeScores(model, (scores) => selectScores(scores, [...Array(scores.rows).keys()].reverse())),
  ],
  [
    'computes a single row less precisely',
    'batches of one row give what one batch of all rows gives',
    (model) =>
      changeScores(model, ({ data, ...shape }) => ({
        ...shape,
        data: shape.rows === 1 ? data.map((value) => 1.001 * value) : data,
      })),
  ],
  [
    'computes sixteen rows at most',
    'batches of prime sizes, one after the other, give the reference answers',
    (model) => changeScores(model, ({ data, ...shape }) => ({ ...shape, data: data.fill(0, 16 * shape.classCount) })),
  ],
  [
    'has one workspace for all runs',
    'runs in progress at once give what each gives alone',
    (model) => {
      let workspace: Activation
      return {
        async runStage(index, activation) {
          workspace = activation
          await Promise.resolve()
          return model.runStage(index, workspace)
        },
      }
    },
  ],
]

it.each(spoiltModels)('catches a backend that %s', async (_, expectedFailure, spoil) => {
  expect(await findModelFailures(spoil)).toContain(expectedFailure)
})
