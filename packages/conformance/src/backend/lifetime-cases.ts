import { createGatedModel, DisposedError, type StagedModel } from '@sluice/core'
import { expect } from 'vitest'
import { type BackendCase, createScriptedModel, withModel } from './backend-context.ts'
import { createExample } from './scenario.ts'

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
    name: 'liveHandles counts activations and scores, and disposing one twice counts once',
    run: (context) =>
      withExample(context, async (model, { batch }) => {
        const uploaded = await model.upload(batch)
        const { activation, scores } = await model.runStage(0, uploaded)
        const selected = await model.selectRows(uploaded, Uint32Array.of(2, 0))
        expect(model.liveHandles).toBe(4)
        for (const [index, handle] of [uploaded, activation, scores, selected].entries()) {
          handle?.dispose()
          handle?.dispose()
          expect(model.liveHandles).toBe(3 - index)
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
    name: 'disposed scores cannot be read',
    run: (context) =>
      withExample(context, async (model, { batch }) => {
        const uploaded = await model.upload(batch)
        const { activation, scores } = await model.runStage(0, uploaded)
        for (const handle of [uploaded, activation, scores]) handle?.dispose()
        await expect(scores.read()).rejects.toBeInstanceOf(DisposedError)
      }),
  },
  {
    name: 'a disposed model is refused, and disposing it twice does nothing',
    async run({ backend, createBundle }) {
      const { network, batch } = createExample()
      const model = await backend.load(await createBundle(network))
      const uploaded = await model.upload(batch)
      const { activation, scores } = await model.runStage(0, uploaded)
      await Promise.all([model.dispose(), model.dispose()])
      await model.dispose()
      await expect(model.upload(batch)).rejects.toBeInstanceOf(DisposedError)
      await expect(model.runStage(0, uploaded)).rejects.toBeInstanceOf(DisposedError)
      await expect(model.selectRows(uploaded, Uint32Array.of(0))).rejects.toBeInstanceOf(DisposedError)
      await expect(scores.read()).rejects.toBeInstanceOf(DisposedError)
      for (const handle of [uploaded, activation, scores]) handle?.dispose()
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
