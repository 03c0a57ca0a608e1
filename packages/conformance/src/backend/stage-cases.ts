import { type ClassScores, disposeRows, type StagedModel } from '@sluice/core'
import { computeReferenceScores, type ReferenceNetwork } from '@sluice/core/reference'
import { expect } from 'vitest'
import { selectScores } from '../rows.ts'
import { type BackendCase, checkScenarios, expectClose, withModel } from './backend-context.ts'
import { createExample, type Scenario, scenarios, scenariosWithOrder } from './scenario.ts'

/** The contract of `Backend` and `StagedModel`, method by method. */
export const stageCases: readonly BackendCase[] = [
  {
    name: 'a loaded model describes the network of its bundle',
    async run({ backend, createBundle }) {
      const bundle = await createBundle(createExample().network)
      const model = await backend.load(bundle)
      const { input, classes, stages } = bundle.manifest
      expect([backend.specVersion, model.specVersion]).toEqual(['v1', 'v1'])
      expect(model.network.input).toEqual(input)
      expect(model.network.classCount).toBe(classes.length)
      expect(model.network.stages.map(({ macs }) => macs)).toEqual(stages.map(({ macs }) => macs))
      expect(model.network.stages.map(({ features }) => features?.width)).toEqual([5, 4, undefined])
      await model.dispose()
    },
  },
  {
    name: 'every stage gives the reference scores of every row',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, { network, batch }) => {
        const scores = await runAllStages(model, { network, batch })
        computeReferenceScores(network, batch).forEach((expected, stage) => {
          expectClose(scores[stage] ?? expect.unreachable(), expected, context)
        })
      }),
  },
  {
    name: 'activations and scores know their number of rows, and only the last stage gives no activation',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, { network, batch, exits }) => {
        let activation = await model.upload(batch)
        for (const stage of network.stages.keys()) {
          expect(activation.rows).toBe(exits.length)
          const result = await model.runStage(stage, activation)
          activation.dispose()
          expect(result.scores.rows).toBe(exits.length)
          expect(result.activation === null).toBe(stage === network.stages.length - 1)
          disposeRows(result)
          activation = result.activation ?? activation
        }
      }),
  },
  {
    name: 'selectRows gathers rows in the given order and leaves its argument alive',
    run: (context) =>
      checkScenarios(context, scenariosWithOrder, async (model, { network, batch, order }) => {
        const [expected] = computeReferenceScores(network, batch)
        const activation = await model.upload(batch)
        const selected = await model.selectRows(activation, Uint32Array.from(order))
        expect(selected.rows).toBe(order.length)
        expectClose(
          await runStageOnce(model, 0, selected),
          selectScores(expected ?? expect.unreachable(), order),
          context,
        )
        expectClose(await runStageOnce(model, 0, activation), expected ?? expect.unreachable(), context)
      }),
  },
  {
    name: 'runStage leaves its argument alive and unchanged',
    async run(context) {
      const { network, batch } = createExample()
      await withModel(context, network, async (model) => {
        const activation = await model.upload(batch)
        const [first, second] = [await model.runStage(0, activation), await model.runStage(0, activation)]
        expectClose(await second.scores.read(), await first.scores.read(), context)
        for (const handle of [activation, first.activation, second.activation]) handle?.dispose()
        for (const result of [first, second]) disposeRows(result)
      })
    },
  },
  {
    name: 'scores that were read stay valid after dispose and during later runs',
    async run(context) {
      const { network, batch } = createExample()
      await withModel(context, network, async (model) => {
        const scores = await runAllStages(model, { network, batch })
        const other = { ...batch, data: batch.data.map((value) => -value) }
        await runAllStages(model, { network, batch: other })
        computeReferenceScores(network, batch).forEach((expected, stage) => {
          expectClose(scores[stage] ?? expect.unreachable(), expected, context)
        })
      })
    },
  },
  {
    name: "scores that were read are the caller's own: changing them changes no later stage",
    async run(context) {
      const { network, batch } = createExample()
      await withModel(context, network, async (model) => {
        const uploaded = await model.upload(batch)
        const first = await model.runStage(0, uploaded)
        const scores = await first.scores.read()
        scores.data.fill(1000)
        const [, expected] = computeReferenceScores(network, batch)
        const deeper = first.activation ?? expect.unreachable()
        expectClose(await runStageOnce(model, 1, deeper), expected ?? expect.unreachable(), context)
        uploaded.dispose()
        disposeRows(first)
      })
    },
  },
  {
    name: "a batch is never changed, and the caller's own again once its activation is disposed",
    async run(context) {
      const { network, batch } = createExample()
      await withModel(context, network, async (model) => {
        const data = batch.data.slice()
        const activation = await model.upload({ ...batch, data })
        const first = await model.runStage(0, activation)
        activation.dispose()
        expect(data).toEqual(batch.data)
        data.fill(0)
        const [expected, next] = computeReferenceScores(network, batch)
        expectClose(await first.scores.read(), expected ?? expect.unreachable(), context)
        disposeRows(first)
        const deeper = first.activation ?? expect.unreachable()
        expectClose(await runStageOnce(model, 1, deeper), next ?? expect.unreachable(), context)
      })
    },
  },
  {
    name: 'models of one backend do not disturb each other',
    async run(context) {
      const { network, batch } = createExample()
      const { backend } = context
      const bundle = await context.createBundle(network)
      const [first, second] = [await backend.load(bundle), await backend.load(bundle)]
      const other = { ...batch, data: batch.data.map((value) => -value) }
      const [ofFirst, ofSecond, later] = [
        await first.upload(batch),
        await second.upload(other),
        await second.upload(batch),
      ]
      expect([first.liveHandles, second.liveHandles]).toEqual([1, 2])
      const [expected = expect.unreachable()] = computeReferenceScores(network, batch)
      const [expectedOfOther = expect.unreachable()] = computeReferenceScores(network, other)
      const scores = await Promise.all([runStageOnce(first, 0, ofFirst), runStageOnce(second, 0, ofSecond)])
      expectClose(scores[0], expected, context)
      expectClose(scores[1], expectedOfOther, context)
      await first.dispose()
      expectClose(await runStageOnce(second, 0, later), expected, context)
      await second.dispose()
    },
  },
]

/** The scores of every stage for the whole batch, no row leaving. */
async function runAllStages(
  model: StagedModel,
  { network, batch }: { network: ReferenceNetwork; batch: Scenario['batch'] },
): Promise<ClassScores[]> {
  const all: ClassScores[] = []
  let activation = await model.upload(batch)
  for (const stage of network.stages.keys()) {
    const result = await model.runStage(stage, activation)
    activation.dispose()
    all.push(await result.scores.read())
    disposeRows(result)
    activation = result.activation ?? activation
  }
  return all
}

/** The scores of one stage; disposes the activation given and the one gained. */
async function runStageOnce(
  model: StagedModel,
  stage: number,
  activation: Awaited<ReturnType<StagedModel['upload']>>,
): Promise<ClassScores> {
  const result = await model.runStage(stage, activation)
  const scores = await result.scores.read()
  for (const handle of [activation, result.activation]) handle?.dispose()
  disposeRows(result)
  return scores
}
