import type { Activation, Backend, ClassScores, DeviceScores, StagedModel, StageResult, Tensor } from '@sluice/core'
import { createReferenceBackend, createReferenceBundle } from '@sluice/core/reference'
import { expect, it } from 'vitest'
import { bindCases } from '../suite.ts'
import { backendCases } from './describe-backend.ts'

/** Names of the cases that a backend whose models were changed by `spoil` does not pass. */
async function findFailures(spoil: (model: StagedModel) => Partial<StagedModel>): Promise<string[]> {
  const backend = createReferenceBackend()
  const spoilt: Backend = { ...backend, load: async (bundle) => override(await backend.load(bundle), spoil) }
  const context = { backend: spoilt, createBundle: createReferenceBundle, rtol: 1e-6, atol: 1e-6, runs: 10 }
  const failures: string[] = []
  for (const { name, run } of bindCases(backendCases, context)) {
    try {
      await run()
    } catch {
      failures.push(name)
    }
  }
  return failures
}

/** The model with some members replaced; `liveHandles` stays a live count. */
function override(model: StagedModel, spoil: (model: StagedModel) => Partial<StagedModel>): StagedModel {
  return Object.create(model, Object.getOwnPropertyDescriptors(spoil(model))) as StagedModel
}

function changeScores(result: StageResult, change: (scores: ClassScores) => ClassScores): StageResult {
  const { scores } = result
  return { ...result, scores: { ...scores, read: async () => change(await scores.read()) } }
}

it('passes a backend that is sound', async () => {
  expect(await findFailures(() => ({}))).toEqual([])
})

it.each<[string, string, (model: StagedModel) => Partial<StagedModel>]>([
  [
    'mixes a row with its neighbours',
    "a row's answer does not depend on its neighbours",
    (model) => ({
      runStage: async (index, activation) =>
        changeScores(await model.runStage(index, activation), ({ data, rows, classCount }) => {
          const mean = data.reduce((sum, value) => sum + value, 0) / data.length
          return { data: data.map((value) => value + 0.01 * mean), rows, classCount }
        }),
    }),
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
    'leaks an activation per selection',
    'nothing is left alive after a run to the end',
    (model) => ({
      async selectRows(activation, rows) {
        await model.selectRows(activation, rows)
        return model.selectRows(activation, rows)
      },
    }),
  ],
  [
    'reads all scores into one buffer',
    'scores that were read stay valid after dispose and during later runs',
    (model) => {
      const shared = new Float32Array(1000)
      return {
        runStage: async (index, activation) =>
          changeScores(await model.runStage(index, activation), ({ data, rows, classCount }) => {
            shared.set(data)
            return { data: shared.subarray(0, data.length), rows, classCount }
          }),
      }
    },
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
  [
    'still reads disposed scores',
    'disposed scores cannot be read',
    (model) => ({
      async runStage(index, activation) {
        const result = await model.runStage(index, activation)
        const values = await result.scores.read()
        const scores: DeviceScores = { ...result.scores, read: async () => values }
        return { ...result, scores }
      },
    }),
  ],
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
    'goes on after dispose',
    'a disposed model is refused, and disposing it twice does nothing',
    () => ({ dispose: async () => undefined }),
  ],
])('catches a backend that %s', async (_, expectedFailure, spoil) => {
  expect(await findFailures(spoil)).toContain(expectedFailure)
})

it('does not blame a sound part for a broken one', async () => {
  const failures = await findFailures((model) => ({
    selectRows: (activation, rows) => model.selectRows(activation, rows.toSorted()),
  }))
  expect(failures).toEqual(['selectRows gathers rows in the given order and leaves its argument alive'])
})
