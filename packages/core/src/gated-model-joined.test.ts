import { expect, it, vi } from 'vitest'
import type { StagedModel, WholeNetwork } from './backend.ts'
import { BackendContractError, NonFiniteValueError, ShapeMismatchError } from './errors.ts'
import type { ExitPolicy } from './exit-policy.ts'
import { createGatedModel } from './gated-model.ts'
import { createRandomBatch } from './reference.ts'
import { createExample } from './testing/gated-example.ts'
import { createThresholdPolicy, type GateRule } from './threshold-policy.ts'

/** Rows leave when their first class has a score of at least `threshold`, said as a function and as data. */
function createRule(threshold: number): GateRule {
  return {
    score: ({ data, rows, classCount }) => Float32Array.from({ length: rows }, (_, row) => data[row * classCount] ?? 0),
    expression: { operator: 'row-sum', of: { operator: 'multiply', left: 'scores', right: [1, 0, 0] } },
    threshold,
  }
}

/** Rows leave at each of the two gates, and at the end. */
const policy = createThresholdPolicy('first class', [createRule(-0.28), createRule(-0.15)])

async function createManyRows() {
  const { model } = await createExample()
  return { model, batch: createRandomBatch(1, 60, [2, 3]) }
}

/** The same decisions without data, so that the runner takes them. */
const inStages: ExitPolicy = { ...policy, expression: undefined }

/** The model with another answer of the whole network. */
function answerWith(model: StagedModel, whole: WholeNetwork): StagedModel {
  return Object.assign(Object.create(model), { joinGates: () => whole })
}

it('answers in one call of the backend what the stages answer one by one', async () => {
  const { model, batch } = await createManyRows()
  const expected = await createGatedModel({ model, policy: inStages }).predict(batch)
  expect(new Set(expected.exits)).toEqual(new Set([0, 1, 2]))
  const runStage = vi.spyOn(model, 'runStage')
  expect(await createGatedModel({ model, policy }).predict(batch)).toEqual(expected)
  expect(runStage).not.toHaveBeenCalled()
})

it('lets nobody leave at gates that the policy does not name', async () => {
  const { model, batch } = await createManyRows()
  const first = createThresholdPolicy('first gate', [createRule(-0.28)])
  const expected = await createGatedModel({ model, policy: { ...first, expression: undefined } }).predict(batch)
  expect(new Set(expected.exits)).toEqual(new Set([0, 2]))
  expect(await createGatedModel({ model, policy: first }).predict(batch)).toEqual(expected)
})

it('goes from stage to stage in run, where the surest exit answers, and where the backend joins no gates', async () => {
  const { model, batch } = await createManyRows()
  const joinGates = vi.spyOn(model, 'joinGates' as 'runStage')
  const runStage = vi.spyOn(model, 'runStage')
  const mostConfident = createRule(0).score
  await createGatedModel({ model, policy, mostConfident }).predict(batch)
  expect(runStage).toHaveBeenCalledTimes(3)
  expect(joinGates).not.toHaveBeenCalled()
  for await (const _ of createGatedModel({ model, policy }).run(batch));
  expect(runStage).toHaveBeenCalledTimes(6)
  const apart = Object.assign(Object.create(model), { joinGates: undefined })
  await createGatedModel({ model: apart, policy }).predict(batch)
  expect(runStage).toHaveBeenCalledTimes(9)
})

it('checks the batch and looks at the signal before it calls the backend, which never sees zero rows', async () => {
  const { model, batch } = await createManyRows()
  const whole = vi.fn<WholeNetwork>()
  const gated = createGatedModel({ model: answerWith(model, whole), policy })
  const empty = await gated.predict({ ...batch, dims: [0, 2, 3], data: new Float32Array() })
  expect(empty.classes).toEqual(new Int32Array())
  await expect(gated.predict({ ...batch, dims: [120, 3] })).rejects.toThrow(ShapeMismatchError)
  await expect(gated.predict({ ...batch, data: batch.data.map(() => Number.NaN) })).rejects.toThrow(NonFiniteValueError)
  const reason = new Error('enough')
  await expect(gated.predict(batch, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(whole).not.toHaveBeenCalled()
})

it.each<[string, number, number, number]>([
  ['too few scores', 59, 60, 0],
  ['too few exits', 60, 59, 0],
  ['an exit beyond the last stage', 60, 60, 3],
])('refuses a backend that gives %s', async (_, scoreRows, exitRows, exit) => {
  const { model, batch } = await createManyRows()
  const scores = { data: new Float32Array(3 * scoreRows), rows: 60, classCount: 3 }
  const broken = answerWith(model, async () => ({ scores, exits: new Uint32Array(exitRows).fill(exit) }))
  await expect(createGatedModel({ model: broken, policy }).predict(batch)).rejects.toThrow(BackendContractError)
})

it('refuses answers that are not finite, by their row', async () => {
  const { model, batch } = await createManyRows()
  const scores = { data: new Float32Array(180).fill(Number.NaN, 5), rows: 60, classCount: 3 }
  const broken = answerWith(model, async () => ({ scores, exits: new Uint32Array(60) }))
  const failure = createGatedModel({ model: broken, policy }).predict(batch)
  await expect(failure).rejects.toThrow(NonFiniteValueError)
  await expect(failure).rejects.toThrow('row 1')
})
