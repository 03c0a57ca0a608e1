import { createGatedModel, createThresholdPolicy, type ExitPolicy, type GateRule, type StagedModel } from '@sluice/core'
import { createRandomBatch } from '@sluice/core/reference'
import { readOnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import * as ort from 'onnxruntime-node'
import { expect, onTestFinished, test, vi } from 'vitest'
import { canJoinStages } from './gate-joiner.ts'
import { createOnnxRuntimeBackend } from './node.ts'
import type { StageFile } from './stage-file.ts'
import { createResidualBundle, createResidualStages, residualShape, yieldFeatures } from './testing/residual-bundle.ts'

const batch = createRandomBatch(1, 24, residualShape)

/** Rows leave by their greatest class score, or by its negative. */
function createPolicy(thresholds: readonly number[], sign = 1): ExitPolicy {
  const rules = thresholds.map((threshold): GateRule => {
    return {
      score: ({ data, rows }) =>
        Float32Array.from({ length: rows }, (_, row) => sign * Math.max(...data.subarray(16 * row, 16 * row + 16))),
      expression: {
        operator: 'multiply',
        left: sign,
        right: { operator: 'row-maximum', of: 'scores' },
      },
      threshold,
    }
  })
  return createThresholdPolicy('greatest score', rules)
}

/** Thresholds that about a third of the rows that come reach, by the negative where the sign is -1. */
async function chooseThresholds(model: StagedModel, sign: number): Promise<[number, number]> {
  const greatest: number[][] = []
  let activation = await model.upload(batch)
  for (const stage of [0, 1]) {
    const result = await model.runStage(stage, activation)
    const { data, rows } = await result.scores.read()
    greatest.push(Array.from({ length: rows }, (_, row) => sign * Math.max(...data.subarray(16 * row, 16 * row + 16))))
    activation = result.activation ?? expect.unreachable()
  }
  const [first = Number.NaN, second = Number.NaN] = greatest.map((values) => {
    const [above, below] = values.toSorted((a, b) => b - a).slice(8, 10)
    return ((above ?? Number.NaN) + (below ?? Number.NaN)) / 2
  })
  return [first, second]
}

/** What the backend answers in one call, against what the runner has from stage to stage. */
async function expectSameAnswers(model: StagedModel, policy: ExitPolicy): Promise<Set<number>> {
  const expected = await createGatedModel({ model, policy: { ...policy, expression: undefined } }).predict(batch)
  const actual = await createGatedModel({ model, policy }).predict(batch)
  expect(actual.exits).toEqual(expected.exits)
  expect(actual.macs).toEqual(expected.macs)
  actual.scores.data.forEach((value, i) => {
    expect(Math.abs(value - (expected.scores.data[i] as number))).toBeLessThan(1e-5)
  })
  return new Set(actual.exits)
}

/** Every session that the engine creates during this test. */
function watchSessions() {
  const create = vi.spyOn(ort.InferenceSession, 'create')
  onTestFinished(() => create.mockRestore())
  return create
}

test.each([
  ['in the blocked layout', createResidualStages(16)],
  ['with pooled features', createResidualStages(16).map(yieldFeatures)],
])('stages %s answer in one session as they do one by one', async (_, stages) => {
  const model = await createOnnxRuntimeBackend({ threads: 1 }).load(createResidualBundle(stages))
  const thresholds = await chooseThresholds(model, 1)
  expect(await expectSameAnswers(model, createPolicy(thresholds))).toEqual(new Set([0, 1, 2]))
  expect(await expectSameAnswers(model, createPolicy([Number.NEGATIVE_INFINITY, 0]))).toEqual(new Set([0]))
  await model.dispose()
})

test('thresholds share a session, other scores and other gates get one of their own, and all are released', async () => {
  const create = watchSessions()
  const model = await createOnnxRuntimeBackend({ threads: 1 }).load(createResidualBundle(createResidualStages(16)))
  const joined = async (policy: ExitPolicy) => {
    create.mockClear()
    await createGatedModel({ model, policy }).predict(batch)
    const sessions = await Promise.all(create.mock.results.map(({ value }) => value))
    return sessions.filter(({ outputNames }) => outputNames.includes('exit'))
  }
  const [first, ...others] = await joined(createPolicy([1, 1]))
  expect(others).toEqual([])
  expect(await joined(createPolicy([0.5, Number.MAX_VALUE]))).toEqual([])
  const [second] = await joined(createPolicy([1, 1], -1))
  const [third] = await joined(createPolicy([1, Number.POSITIVE_INFINITY]))
  const released = [first, second, third].map((session) => vi.spyOn(session ?? expect.unreachable(), 'release'))
  await model.dispose()
  for (const release of released) expect(release).toHaveBeenCalledOnce()
})

test('a session that does not load is tried again with the next batch', async () => {
  const create = watchSessions()
  const model = await createOnnxRuntimeBackend({ threads: 1 }).load(createResidualBundle(createResidualStages(16)))
  const gated = createGatedModel({ model, policy: createPolicy([1, 1]) })
  create.mockRejectedValueOnce(new Error('out of memory'))
  await expect(gated.predict(batch)).rejects.toThrow('stage-0.onnx')
  expect((await gated.predict(batch)).classes).toHaveLength(24)
  await model.dispose()
})

test.each([
  ['an operator set without the operators that it takes', (stages: StageFile[]) => stages.map(lowerOpset)],
  ['a single stage', (stages: StageFile[]) => stages.slice(2).map(readInput)],
])('gates are not joined for %s', async (_, change) => {
  const model = await createOnnxRuntimeBackend({ threads: 1 }).load(
    createResidualBundle(change(createResidualStages(16))),
  )
  expect(model.joinGates).toBeUndefined()
  await model.dispose()
})

test('stages that are too large for one file together are not joined', () => {
  const stages = createResidualStages(16)
  const bytes = stages.reduce((sum, { model }) => sum + model.length, 0)
  expect(canJoinStages(stages, bytes)).toBe(true)
  expect(canJoinStages(stages, bytes - 1)).toBe(false)
})

function lowerOpset({ description, model }: StageFile): StageFile {
  const { proto } = readOnnxModel(model)
  for (const opset of proto.opsetImport) opset.version = 11n
  return { description, model: writeOnnxModel({ ...readOnnxModel(model), proto }) }
}

/** The stage as the only one of its network. */
function readInput({ description, model }: StageFile): StageFile {
  return { description: { ...description, input: 'b' }, model }
}
