import type { Activation } from '@sluice/core'
import { expect, it } from 'vitest'
import { changeScores, findModelFailures, type SpoiltModel } from '../testing/find-failures.ts'

const spoiltModels: readonly SpoiltModel[] = [
  [
    'takes any shape',
    'upload refuses a batch of another shape',
    (model) => ({
      upload: (batch) => model.upload({ ...batch, dims: [batch.dims[0] ?? 1, ...model.network.input.shape] }),
    }),
  ],
  [
    'takes any element type',
    'upload refuses a batch of another element type',
    (model) => ({
      upload: (batch) =>
        model.upload({ type: 'float32', dims: batch.dims, data: Float32Array.from(batch.data, Number) }),
    }),
  ],
  [
    'takes no rows for one',
    'upload and selectRows refuse zero rows',
    (model) => ({
      selectRows: (activation, rows) => model.selectRows(activation, rows.length === 0 ? Uint32Array.of(0) : rows),
    }),
  ],
  [
    'takes the first row for one that does not exist',
    'rows and stages that do not exist are refused',
    (model) => ({
      selectRows: (activation, rows) =>
        model.selectRows(
          activation,
          rows.map((row) => (row < activation.rows ? row : 0)),
        ),
    }),
  ],
  [
    'runs the stage that fits instead of the one that it was told to run',
    'activations of another stage or another model are refused',
    (model) => {
      const uploads = new Set<Activation>()
      return {
        async upload(batch) {
          const activation = await model.upload(batch)
          uploads.add(activation)
          return activation
        },
        runStage: (index, activation) => model.runStage(uploads.has(activation) ? 0 : index, activation),
      }
    },
  ],
  [
    'clips scores that overflow',
    'scores that overflow are an error that names the row by its index in the batch',
    (model) =>
      changeScores(model, ({ data, ...shape }) => ({
        ...shape,
        data: data.map((value) => (Number.isFinite(value) ? value : 0)),
      })),
  ],
]

it.each(spoiltModels)('catches a backend that %s', async (_, expectedFailure, spoil) => {
  expect(await findModelFailures(spoil)).toContain(expectedFailure)
})
