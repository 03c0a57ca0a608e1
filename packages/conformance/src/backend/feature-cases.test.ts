import type { PooledFeatures, StagedModel } from '@sluice/core'
import { expect, it } from 'vitest'
import { selectFeatures } from '../rows.ts'
import { findModelFailures, type SpoiltModel } from '../testing/find-failures.ts'

/** The model's `runStage` with every feature array changed as it is read. */
function changeFeatures(
  model: StagedModel,
  change: (features: PooledFeatures) => PooledFeatures,
): Pick<StagedModel, 'runStage'> {
  return {
    async runStage(index, activation) {
      const { features, ...result } = await model.runStage(index, activation)
      return { ...result, features: features && { ...features, read: async () => change(await features.read()) } }
    },
  }
}

const values = 'every gate gives the reference features of every row where its stage is described to, and else none'

const spoiltModels: readonly SpoiltModel[] = [
  [
    'is off by a thousandth',
    values,
    (model) => changeFeatures(model, (features) => ({ ...features, data: features.data.map((x) => 1.001 * x) })),
  ],
  [
    'forgets the features',
    values,
    (model) => ({
      async runStage(index, activation) {
        const { features, ...result } = await model.runStage(index, activation)
        features?.dispose()
        return result
      },
    }),
  ],
  [
    'never frees the features',
    'nothing is left alive after a run to the end',
    (model) => ({
      async runStage(index, activation) {
        const { features, ...result } = await model.runStage(index, activation)
        return { ...result, features: features && { ...features, dispose: () => undefined } }
      },
    }),
  ],
  [
    'reads all features into one buffer',
    "features that were read are the caller's own and stay valid after dispose and during later runs",
    (model) => {
      const shared = new Float32Array(1000)
      return changeFeatures(model, ({ data, ...shape }) => {
        shared.set(data)
        return { ...shape, data: shared.subarray(0, data.length) }
      })
    },
  ],
  [
    'answers in the opposite order of the rows',
    'the runner shows a policy that uses features those of the rows that are left, and gates let them go',
    (model) =>
      changeFeatures(model, (features) => selectFeatures(features, [...Array(features.rows).keys()].reverse())),
  ],
]

it.each(spoiltModels)('catches a backend that %s', async (_, expectedFailure, spoil) => {
  expect(await findModelFailures(spoil)).toContain(expectedFailure)
})
