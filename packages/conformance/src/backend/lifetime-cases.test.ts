import type { DeviceScores } from '@sluice/core'
import { expect, it } from 'vitest'
import { findModelFailures, type SpoiltModel } from '../testing/find-failures.ts'

const endings = [
  'nothing is left alive after a run to the end',
  'nothing is left alive when the consumer stops early',
  'nothing is left alive after an abort',
  'nothing is left alive after an error of the policy',
  'an abort while a stage runs leaves nothing alive and the model ready for the next run',
]

it.each(endings)('catches a backend that leaks an activation per stage: %s', async (ending) => {
  const failures = await findModelFailures((model) => ({
    async runStage(index, activation) {
      await model.selectRows(activation, Uint32Array.of(0))
      return model.runStage(index, activation)
    },
  }))
  expect(failures).toContain(ending)
})

const spoiltModels: readonly SpoiltModel[] = [
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
    'counts a second dispose again',
    'liveHandles counts activations, scores and features, and disposing one twice counts once',
    (model) => {
      let disposals = 0
      let uploads = 0
      return {
        get liveHandles() {
          return model.liveHandles + uploads - disposals
        },
        async upload(batch) {
          const { rows, dispose } = await model.upload(batch)
          dispose()
          uploads++
          return { rows, dispose: () => void disposals++ }
        },
      }
    },
  ],
  [
    'revives disposed activations',
    'a disposed activation is refused',
    (model) => ({
      async upload(batch) {
        return Object.assign(await model.upload(batch), { dispose: () => undefined })
      },
    }),
  ],
  [
    'still reads disposed scores',
    'disposed scores and features cannot be read',
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
    'goes on after dispose',
    'a disposed model is refused, and disposing it twice does nothing',
    () => ({ dispose: async () => undefined }),
  ],
  [
    'fails when it is disposed again',
    'a disposed model is refused, and disposing it twice does nothing',
    (model) => {
      let disposed = false
      return {
        async dispose() {
          if (disposed) throw new Error('already disposed')
          disposed = true
          await model.dispose()
        },
      }
    },
  ],
]

it.each(spoiltModels)('catches a backend that %s', async (_, expectedFailure, spoil) => {
  expect(await findModelFailures(spoil)).toContain(expectedFailure)
})
