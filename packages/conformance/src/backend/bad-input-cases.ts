import {
  DataTypeMismatchError,
  InvalidArgumentError,
  NonFiniteValueError,
  ShapeMismatchError,
  type StagedModel,
  type Tensor,
} from '@sluice/core'
import { createRandomBatch, createRandomReferenceNetwork, type ReferenceNetwork } from '@sluice/core/reference'
import { expect } from 'vitest'
import { type BackendCase, createScriptedModel, withModel } from './backend-context.ts'
import { createExample } from './scenario.ts'

/** Bad input never yields a wrong answer silently. */
export const badInputCases: readonly BackendCase[] = [
  {
    name: 'a batch of zero rows gives empty answers and never reaches the backend',
    async run(context) {
      const { network, batch, exits } = createExample()
      await withModel(context, network, async (model) => {
        const empty = { ...batch, dims: [0, ...batch.dims.slice(1)], data: new Float32Array(0) }
        const predictions = await createScriptedModel(refuseToRun(model), exits).predict(empty)
        expect([predictions.classes.length, predictions.scores.rows, predictions.macs.length]).toEqual([0, 0, 0])
      })
    },
  },
  {
    name: 'upload and selectRows refuse zero rows',
    async run(context) {
      await withModel(context, createExample().network, async (model) => {
        const empty: Tensor = { type: 'float32', dims: [0, 2, 3], data: new Float32Array(0) }
        await expect(model.upload(empty)).rejects.toBeInstanceOf(ShapeMismatchError)
        const activation = await model.upload(createExample().batch)
        await expect(model.selectRows(activation, new Uint32Array(0))).rejects.toBeInstanceOf(InvalidArgumentError)
        activation.dispose()
      })
    },
  },
  {
    name: 'rows and stages that do not exist are refused',
    async run(context) {
      const { network, batch } = createExample()
      await withModel(context, network, async (model) => {
        const activation = await model.upload(batch)
        for (const rows of [[4], [0, 4], [2 ** 32 - 1]]) {
          const failure = model.selectRows(activation, Uint32Array.from(rows))
          await expect(failure, `rows ${rows}`).rejects.toBeInstanceOf(InvalidArgumentError)
        }
        for (const stage of [-1, 0.5, network.stages.length]) {
          const failure = model.runStage(stage, activation)
          await expect(failure, `stage ${stage}`).rejects.toBeInstanceOf(InvalidArgumentError)
        }
        activation.dispose()
      })
    },
  },
  {
    name: 'activations of another stage or another model are refused',
    async run(context) {
      // Every cut is as wide as the input, so that the wrong activation would give a wrong answer.
      const network = createRandomReferenceNetwork({ seed: 8, inputShape: [3], cutWidths: [3, 3], classCount: 2 })
      const other = await context.backend.load(await context.createBundle(network))
      await withModel(context, network, async (model) => {
        const uploaded = await model.upload(createRandomBatch(9, 2, [3]))
        const selected = await model.selectRows(uploaded, Uint32Array.of(1))
        await expect(model.runStage(1, uploaded)).rejects.toBeInstanceOf(InvalidArgumentError)
        await expect(model.runStage(2, selected)).rejects.toBeInstanceOf(InvalidArgumentError)
        await expect(other.runStage(0, uploaded)).rejects.toBeInstanceOf(InvalidArgumentError)
        await expect(other.selectRows(uploaded, Uint32Array.of(0))).rejects.toBeInstanceOf(InvalidArgumentError)
        for (const handle of [uploaded, selected]) handle.dispose()
      })
      await other.dispose()
    },
  },
  {
    name: 'upload refuses a batch of another shape',
    async run(context) {
      await withModel(context, createExample().network, async (model) => {
        for (const dims of [[1, 6], [1, 3, 2], [1, 2, 3, 1], [6]]) {
          const batch: Tensor = { type: 'float32', dims, data: new Float32Array(6) }
          await expect(model.upload(batch), `shape [${dims}]`).rejects.toBeInstanceOf(ShapeMismatchError)
        }
        const short: Tensor = { type: 'float32', dims: [2, 2, 3], data: new Float32Array(6) }
        await expect(model.upload(short), 'missing data').rejects.toBeInstanceOf(ShapeMismatchError)
      })
    },
  },
  {
    name: 'upload refuses a batch of another element type',
    async run(context) {
      await withModel(context, createExample().network, async (model) => {
        const batch: Tensor = { type: 'int32', dims: [1, 2, 3], data: new Int32Array(6) }
        await expect(model.upload(batch)).rejects.toBeInstanceOf(DataTypeMismatchError)
      })
    },
  },
  {
    name: 'NaN or an infinity in the input is refused by the runner before the backend, with an error that names the row',
    async run(context) {
      const { network, batch, exits } = createExample()
      await withModel(context, network, async (model) => {
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const data = batch.data.slice()
          data[2 * 6 + 1] = value
          const failure = createScriptedModel(model, exits).predict({ ...batch, data })
          await expect(failure).rejects.toBeInstanceOf(NonFiniteValueError)
          await expect(failure).rejects.toThrow(`${value} in row 2`)
        }
      })
    },
  },
  {
    name: 'scores that overflow are an error that names the row by its index in the batch',
    async run(context) {
      await withModel(context, createOverflowingNetwork(), async (model) => {
        const batch: Tensor = { type: 'float32', dims: [4, 1], data: Float32Array.of(1, 0, 0.5, 3e30) }
        const failure = createScriptedModel(model, [0, 1, 0, 1]).predict(batch)
        await expect(failure).rejects.toBeInstanceOf(NonFiniteValueError)
        await expect(failure).rejects.toThrow('in row 3')
      })
    },
  },
]

/** Two stages; the second multiplies by 1e30, so that a float32 of 3e30 overflows there. */
function createOverflowingNetwork(): ReferenceNetwork {
  const copy = { weights: [[1]], bias: [0], activation: 'none' as const }
  const enlarge = {
    weights: [[1e30], [-1e30]].map((row) => row.map(Math.fround)),
    bias: [0, 0],
    activation: 'none' as const,
  }
  const head = { weights: [[1], [-1]], bias: [0, 0], activation: 'none' as const }
  return {
    inputShape: [1],
    stages: [
      { layers: [copy], head: [head] },
      { layers: [enlarge], head: null },
    ],
  }
}

/** A model that fails the test when it is called. */
function refuseToRun({ network }: StagedModel): StagedModel {
  const refuse = () => expect.unreachable('the backend was called')
  return {
    specVersion: 'v1',
    network,
    liveHandles: 0,
    upload: refuse,
    runStage: refuse,
    selectRows: refuse,
    dispose: refuse,
  }
}
