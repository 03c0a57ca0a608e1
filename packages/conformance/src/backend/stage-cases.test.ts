import type { Activation, ClassScores, StagedModel, Tensor } from '@sluice/core'
import { expect, it } from 'vitest'
import { changeScores, findBackendFailures, findModelFailures, type SpoiltModel } from '../testing/find-failures.ts'

const spoiltModels: readonly SpoiltModel[] = [
  [
    'forgets a class',
    'a loaded model describes the network of its bundle',
    ({ network }) => ({ network: { ...network, classCount: network.classCount - 1 } }),
  ],
  [
    'is off by a thousandth',
    'every stage gives the reference scores of every row',
    (model) => changeScores(model, (scores) => ({ ...scores, data: scores.data.map((value) => value * 1.001) })),
  ],
  [
    'pads its scores by a row',
    'activations and scores know their number of rows, and only the last stage gives no activation',
    (model) => ({
      async runStage(index, activation) {
        const { scores, ...result } = await model.runStage(index, activation)
        return { ...result, scores: { ...scores, rows: scores.rows + 1 } }
      },
    }),
  ],
  [
    'sorts the rows it selects',
    'selectRows gathers rows in the given order and leaves its argument alive',
    (model) => ({ selectRows: (activation, rows) => model.selectRows(activation, rows.toSorted()) }),
  ],
  [
    'consumes the activation it selects from',
    'selectRows gathers rows in the given order and leaves its argument alive',
    (model) => ({
      async selectRows(activation, rows) {
        const selected = await model.selectRows(activation, rows)
        activation.dispose()
        return selected
      },
    }),
  ],
  [
    'consumes the activation it runs a stage on',
    'runStage leaves its argument alive and unchanged',
    (model) => ({
      async runStage(index, activation) {
        const result = await model.runStage(index, activation)
        activation.dispose()
        return result
      },
    }),
  ],
  [
    'reads all scores into one buffer',
    'scores that were read stay valid after dispose and during later runs',
    (model) => {
      const shared = new Float32Array(1000)
      return changeScores(model, ({ data, ...shape }) => {
        shared.set(data)
        return { ...shape, data: shared.subarray(0, data.length) }
      })
    },
  ],
  [
    'hands the next head the very scores that it gave away',
    "scores that were read are the caller's own: changing them changes no later stage",
    (model) => {
      let given: ClassScores = { data: new Float32Array(), rows: 0, classCount: 0 }
      return changeScores(model, (scores) => {
        const shift = given.data[0] === 1000 ? 1000 : 0
        given = scores
        return shift === 0 ? scores : { ...scores, data: scores.data.map((value) => value + shift) }
      })
    },
  ],
  [
    'scales the batch in place',
    "a batch is never changed, and the caller's own again once its activation is disposed",
    (model) => ({
      async upload(batch) {
        const activation = await model.upload(batch)
        ;(batch.data as Float32Array).fill(0)
        return activation
      },
    }),
  ],
  [
    'reads the batch after its activation was disposed',
    "a batch is never changed, and the caller's own again once its activation is disposed",
    (model) => {
      const batches = new Map<Activation, Tensor>()
      return {
        async upload(batch) {
          const activation = await model.upload(batch)
          batches.set(activation, batch)
          return activation
        },
        async runStage(index, activation) {
          const result = await model.runStage(index, activation)
          const batch = batches.get(activation)
          if (batch === undefined) return result
          const read = async () => {
            const late = await model.upload(batch)
            const { activation: unused, scores } = await model.runStage(index, late)
            const values = await scores.read()
            for (const handle of [late, unused, scores]) handle?.dispose()
            return values
          }
          return { ...result, scores: { ...result.scores, read } }
        },
      }
    },
  ],
]

it.each(spoiltModels)('catches a backend that %s', async (_, expectedFailure, spoil) => {
  expect(await findModelFailures(spoil)).toContain(expectedFailure)
})

it('catches a backend that keeps one model alone', async () => {
  const failures = await findBackendFailures((backend) => {
    let last: StagedModel | undefined
    return {
      async load(bundle) {
        await last?.dispose()
        last = await backend.load(bundle)
        return last
      },
    }
  })
  expect(failures).toContain('models of one backend do not disturb each other')
})
