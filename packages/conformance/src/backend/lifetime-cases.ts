import { createGatedModel, DisposedError, type StagedModel } from '@sluice/core'
import { expect } from 'vitest'
import { type BackendCase, createScriptedModel, expectClose, withModel } from './backend-context.ts'
import { computeExitScores, createExample } from './scenario.ts'

/** Who lives how long: runs of every ending, `dispose` once and twice, and use afterwards. */
export const lifetimeCases: readonly BackendCase[] = [
  {
    name: 'nothing is left alive after a run to the end',
    run: (context) =>
      withExample(context, async (model, { batch, exits }) => {
        await createScriptedModel(model, exits).predict(batch)
      }),
  },
  {
    name: 'nothing is left alive when the consumer stops early',
    run: (context) =>
      withExample(context, async (model, { batch, exits }) => {
        for await (const _ of createScriptedModel(model, exits).run(batch)) break
      }),
  },
  {
    name: 'nothing is left alive after an abort',
    run: (context) =>
      withExample(context, async (model, { batch, exits }) => {
        const controller = new AbortController()
        const run = createScriptedModel(model, exits).run(batch, { signal: controller.signal })
        await run.next()
        controller.abort('enough')
        await expect(run.next()).rejects.toBe('enough')
      }),
  },
  {
    name: 'an abort while a stage runs leaves nothing alive and the model ready for the next run',
    run: (context) =>
      withExample(context, async (model, example) => {
        const { network, batch, exits } = example
        for (const stage of network.stages.keys()) {
          const controller = new AbortController()
          const aborting = callDuring(model, stage, () => controller.abort('enough'))
          const run = createScriptedModel(aborting, exits).predict(batch, { signal: controller.signal })
          // The signal is looked at before every stage, so an abort during the last comes too late.
          if (stage < network.stages.length - 1) await expect(run).rejects.toBe('enough')
          else expectClose((await run).scores, computeExitScores(example), context)
          expect(model.liveHandles).toBe(0)
        }
        const { scores } = await createScriptedModel(model, exits).predict(batch)
        expectClose(scores, computeExitScores(example), context)
      }),
  },
  {
    name: 'nothing is left alive after an error of the policy',
    run: (context) =>
      withExample(context, async (model, { batch }) => {
        const policy = {
          specVersion: 'v1' as const,
          name: 'failing',
          init: () => null,
          decide: () => {
            throw new Error('policy failed')
          },
        }
        await expect(createGatedModel({ model, policy }).predict(batch)).rejects.toThrow('policy failed')
      }),
  },
  {
    name: 'liveHandles counts activations, scores and features, and disposing one twice counts once',
    run: (context) =>
      withExample(context, async (model, { batch }) => {
        const uploaded = await model.upload(batch)
        const { activation, scores, features } = await model.runStage(0, uploaded)
        const selected = await model.selectRows(uploaded, Uint32Array.of(2, 0))
        expect(model.liveHandles).toBe(5)
        for (const [index, handle] of [uploaded, activation, scores, features, selected].entries()) {
          handle?.dispose()
          handle?.dispose()
          expect(model.liveHandles).toBe(4 - index)
        }
      }),
  },
  {
    name: 'a disposed activation is refused',
    run: (context) =>
      withExample(context, async (model, { batch }) => {
        const activation = await model.upload(batch)
        activation.dispose()
        await expect(model.runStage(0, activation)).rejects.toBeInstanceOf(DisposedError)
        await expect(model.selectRows(activation, Uint32Array.of(0))).rejects.toBeInstanceOf(DisposedError)
      }),
  },
  {
    name: 'disposed scores and features cannot be read',
    run: (context) =>
      withExample(context, async (model, { batch }) => {
        const uploaded = await model.upload(batch)
        const { activation, scores, features } = await model.runStage(0, uploaded)
        for (const handle of [uploaded, activation, scores, features]) handle?.dispose()
        await expect(scores.read()).rejects.toBeInstanceOf(DisposedError)
        await expect(features?.read()).rejects.toBeInstanceOf(DisposedError)
      }),
  },
  {
    name: 'a disposed model is refused, and disposing it twice does nothing',
    async run({ backend, createBundle }) {
      const { network, batch } = createExample()
      const model = await backend.load(await createBundle(network))
      const uploaded = await model.upload(batch)
      const { activation, scores, features } = await model.runStage(0, uploaded)
      await Promise.all([model.dispose(), model.dispose()])
      await model.dispose()
      await expect(model.upload(batch)).rejects.toBeInstanceOf(DisposedError)
      await expect(model.runStage(0, uploaded)).rejects.toBeInstanceOf(DisposedError)
      await expect(model.selectRows(uploaded, Uint32Array.of(0))).rejects.toBeInstanceOf(DisposedError)
      await expect(scores.read()).rejects.toBeInstanceOf(DisposedError)
      await expect(features?.read()).rejects.toBeInstanceOf(DisposedError)
      for (const handle of [uploaded, activation, scores, features]) handle?.dispose()
    },
  },
]

function withExample(
  context: Parameters<typeof withModel>[0],
  use: (model: StagedModel, example: ReturnType<typeof createExample>) => Promise<void>,
): Promise<void> {
  const example = createExample()
  return withModel(context, example.network, (model) => use(model, example))
}

/** The model, calling `call` while the given stage is in progress. */
function callDuring(model: StagedModel, stage: number, call: () => void): StagedModel {
  return {
    specVersion: 'v1',
    network: model.network,
    liveHandles: 0,
    upload: (batch) => model.upload(batch),
    runStage(index, activation) {
      const running = model.runStage(index, activation)
      if (index === stage) call()
      return running
    },
    selectRows: (activation, rows) => model.selectRows(activation, rows),
    dispose: () => model.dispose(),
  }
}
