import { argmaxRows, createFlopCounter } from '@sluice/core'
import { computeReferenceScores, createRandomBatch } from '@sluice/core/reference'
import { expect } from 'vitest'
import { selectBatchRows, selectScores } from '../rows.ts'
import { type BackendCase, checkScenarios, createScriptedModel, expectClose, withModel } from './backend-context.ts'
import { computeExitScores, createExample, scenarios, scenariosWithOrder, scenariosWithRow } from './scenario.ts'

/** What a gated network answers, against the reference network computed without gates, backend or runner. */
export const answerCases: readonly BackendCase[] = [
  {
    name: "with no gate firing, the answers equal the unsplit network's",
    run: (context) =>
      checkScenarios(context, scenarios, async (model, { network, batch, exits }) => {
        const end = exits.map(() => network.stages.length - 1)
        const predictions = await createScriptedModel(model, end).predict(batch)
        const unsplit = computeReferenceScores(network, batch).at(-1)
        expectClose(predictions.scores, unsplit ?? expect.unreachable(), context)
        expect(Array.from(predictions.exits)).toEqual(end)
      }),
  },
  {
    name: 'every row exits exactly once, at the stage that its policy says',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, { batch, exits }) => {
        const seen: [row: number, stage: number][] = []
        for await (const { rows, stage } of createScriptedModel(model, exits).run(batch)) {
          seen.push(...Array.from(rows, (row): [number, number] => [row, stage]))
        }
        expect(seen.toSorted(([a], [b]) => a - b)).toEqual([...exits.entries()])
      }),
  },
  {
    name: 'every row gets the scores, the class and the MACs of the stage at which it exits',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, scenario) => {
        const { exits, batch } = scenario
        const { scores, classes, macs } = await createScriptedModel(model, exits).predict(batch)
        expectClose(scores, computeExitScores(scenario), context)
        expect(classes).toEqual(argmaxRows(scores))
        expect(Array.from(macs)).toEqual(exits.map(createFlopCounter(model.network).countThrough))
      }),
  },
  {
    name: 'the last stage lets every row go that no gate took',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, { network, batch, exits }) => {
        const beyondTheLast = exits.map(() => network.stages.length)
        const predictions = await createScriptedModel(model, beyondTheLast).predict(batch)
        expect(Array.from(predictions.exits)).toEqual(exits.map(() => network.stages.length - 1))
      }),
  },
  {
    name: "a row's answer does not depend on its neighbours",
    run: (context) =>
      checkScenarios(context, scenariosWithRow, async (model, { row, ...scenario }) => {
        const length = scenario.batch.data.length / scenario.exits.length
        const isOfRow = (i: number) => Math.floor(i / length) === row
        const data = scenario.batch.data.map((value, i) => (isOfRow(i) ? value : 1000 * value))
        const { scores } = await createScriptedModel(model, scenario.exits).predict({ ...scenario.batch, data })
        expectClose(selectScores(scores, [row]), selectScores(computeExitScores(scenario), [row]), context)
      }),
  },
  {
    name: "a row's answer does not depend on its position",
    run: (context) =>
      checkScenarios(context, scenariosWithOrder, async (model, { order, ...scenario }) => {
        const exits = order.map((row) => scenario.exits[row] ?? expect.unreachable())
        const predictions = await createScriptedModel(model, exits).predict(selectBatchRows(scenario.batch, order))
        expect(Array.from(predictions.exits)).toEqual(exits)
        expectClose(predictions.scores, selectScores(computeExitScores(scenario), order), context)
      }),
  },
  {
    name: 'batches of one row give what one batch of all rows gives',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, { batch, exits }) => {
        const whole = await createScriptedModel(model, exits).predict(batch)
        for (const [row, exit] of exits.entries()) {
          const alone = await createScriptedModel(model, [exit]).predict(selectBatchRows(batch, [row]))
          expectClose(alone.scores, selectScores(whole.scores, [row]), context)
          expect([alone.exits[0], alone.macs[0]]).toEqual([whole.exits[row], whole.macs[row]])
        }
      }),
  },
  {
    name: 'batches of prime sizes, one after the other, give the reference answers',
    async run(context) {
      const { network } = createExample()
      await withModel(context, network, async (model) => {
        for (const rows of [31, 2, 13, 1, 7, 3, 17, 5]) {
          const exits = Array.from({ length: rows }, (_, row) => row % network.stages.length)
          const scenario = { network, batch: createRandomBatch(rows, rows, network.inputShape), exits }
          const { scores } = await createScriptedModel(model, exits).predict(scenario.batch)
          expectClose(scores, computeExitScores(scenario), context)
        }
      })
    },
  },
  {
    name: 'runs in progress at once give what each gives alone',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, scenario) => {
        const { exits, batch } = scenario
        const opposite = { ...batch, data: batch.data.map((value) => -value) }
        const all = [scenario, { ...scenario, exits: exits.toReversed() }, { ...scenario, batch: opposite }]
        const answers = await Promise.all(all.map((one) => createScriptedModel(model, one.exits).predict(one.batch)))
        for (const [index, { scores }] of answers.entries()) {
          expectClose(scores, computeExitScores(all[index] ?? expect.unreachable()), context)
        }
      }),
  },
]
