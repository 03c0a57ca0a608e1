import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { argmaxRows, type ClassScores } from './class-scores.ts'
import {
  BackendContractError,
  DataTypeMismatchError,
  NonFiniteValueError,
  PolicyContractError,
  ShapeMismatchError,
  UnsupportedVersionError,
} from './errors.ts'
import type { ExitPolicy, Observation } from './exit-policy.ts'
import { createFlopCounter } from './flop-counter.ts'
import { createGatedModel } from './gated-model.ts'
import type { ExitGroup, Predictions } from './predictions.ts'
import {
  computeReferenceScores,
  createRandomBatch,
  createRandomReferenceNetwork,
  createScriptedPolicy,
} from './reference.ts'
import type { Tensor } from './tensor.ts'
import { createExample, getRow, load } from './testing/gated-example.ts'
import { createThresholdPolicy } from './threshold-policy.ts'

const seed = 20181103

const scenarios = fc
  .record({
    seed: fc.nat(),
    inputShape: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
    cutWidths: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
    classCount: fc.integer({ min: 1, max: 5 }),
    exits: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 8 }),
  })
  .map(({ exits, ...options }) => ({
    network: createRandomReferenceNetwork(options),
    batch: createRandomBatch(options.seed + 1, exits.length, options.inputShape),
    exits,
  }))

async function collect(groups: AsyncIterable<ExitGroup>): Promise<ExitGroup[]> {
  const collected: ExitGroup[] = []
  for await (const group of groups) collected.push(group)
  return collected
}

function selectBatchRows(batch: Tensor<'float32'>, rows: readonly number[]): Tensor<'float32'> {
  const length = batch.data.length / (batch.dims[0] ?? 1)
  const data = rows.flatMap((row) => Array.from(batch.data.subarray(row * length, (row + 1) * length)))
  return { type: 'float32', dims: [rows.length, ...batch.dims.slice(1)], data: Float32Array.from(data) }
}

function selectPredictions({ classes, scores, exits, macs }: Predictions, rows: readonly number[]) {
  return rows.map((row) => ({ class: classes[row], scores: getRow(scores, row), exit: exits[row], macs: macs[row] }))
}

describe('createGatedModel on random networks', () => {
  it('gives the answers of the unsplit network when no gate fires', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ network, batch }) => {
        const model = await load(network)
        const never = createThresholdPolicy('never', [])
        const { scores, classes, exits } = await createGatedModel({ model, policy: never }).predict(batch)
        const expected = computeReferenceScores(network, batch).at(-1)
        expect(scores).toEqual(expected)
        expect(classes).toEqual(argmaxRows(scores))
        expect(exits.every((exit) => exit === network.stages.length - 1)).toBe(true)
      }),
      { seed },
    )
  })

  it('answers every row exactly once, at the stage its policy says, with the scores and the MACs of that stage', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ network, batch, exits }) => {
        const model = await load(network)
        const groups = await collect(createGatedModel({ model, policy: createScriptedPolicy(exits) }).run(batch))
        const expected = computeReferenceScores(network, batch)
        const counter = createFlopCounter(model.network)
        const seen = groups.flatMap(({ rows }) => Array.from(rows))
        expect(seen.toSorted((a, b) => a - b)).toEqual(exits.map((_, row) => row))
        for (const { stage, rows, scores, macsPerRow } of groups) {
          expect(Array.from(rows)).toEqual(Array.from(rows).toSorted((a, b) => a - b))
          expect(macsPerRow).toBe(counter.countThrough(stage))
          rows.forEach((row, position) => {
            expect(stage).toBe(Math.min(exits[row] ?? 0, network.stages.length - 1))
            expect(getRow(scores, position)).toEqual(getRow(expected[stage] as ClassScores, row))
          })
        }
        expect(model.liveHandles).toBe(0)
      }),
      { seed },
    )
  })

  it("makes a row's answer independent of its neighbours and of its position", async () => {
    const selections = scenarios.chain((scenario) => {
      const rows = scenario.exits.map((_, row) => row)
      return fc.record({ scenario: fc.constant(scenario), rows: fc.shuffledSubarray(rows, { minLength: 1 }) })
    })
    await fc.assert(
      fc.asyncProperty(selections, async ({ scenario: { network, batch, exits }, rows }) => {
        const model = await load(network)
        const whole = await createGatedModel({ model, policy: createScriptedPolicy(exits) }).predict(batch)
        const policy = createScriptedPolicy(rows.map((row) => exits[row] ?? 0))
        const part = await createGatedModel({ model, policy }).predict(selectBatchRows(batch, rows))
        expect(selectPredictions(part, [...rows.keys()])).toEqual(selectPredictions(whole, rows))
      }),
      { seed },
    )
  })

  it('collects in predict what run yields', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ network, batch, exits }) => {
        const gated = createGatedModel({ model: await load(network), policy: createScriptedPolicy(exits) })
        const predictions = await gated.predict(batch)
        for (const { stage, rows, scores, macsPerRow } of await collect(gated.run(batch))) {
          const classes = argmaxRows(scores)
          const expected = Array.from(rows, (_, position) => {
            return { class: classes[position], scores: getRow(scores, position), exit: stage, macs: macsPerRow }
          })
          expect(selectPredictions(predictions, Array.from(rows))).toEqual(expected)
        }
      }),
      { seed },
    )
  })
})

describe('createGatedModel', () => {
  it('yields a group before the stages behind it run', async () => {
    const { model, gated, batch } = await createExample()
    const runStage = vi.spyOn(model, 'runStage')
    const stagesRun: number[] = []
    for await (const { stage } of gated.run(batch)) stagesRun.push(stage, runStage.mock.calls.length)
    expect(stagesRun).toEqual([0, 1, 1, 2, 2, 3])
  })

  it('selects rows only where some but not all leave', async () => {
    for (const [exits, selections] of [
      [[2, 2, 2], 0],
      [[0, 0, 0], 0],
      [[1, 1, 1], 0],
      [[0, 1, 1], 1],
      [[0, 1, 2], 2],
    ] as const) {
      const { model, gated, batch } = await createExample(exits)
      const selectRows = vi.spyOn(model, 'selectRows')
      await gated.predict(batch)
      expect(selectRows, `exits ${exits}`).toHaveBeenCalledTimes(selections)
    }
  })

  it('runs no stage after the last row has left', async () => {
    const { model, gated, batch } = await createExample([0, 1, 0])
    const runStage = vi.spyOn(model, 'runStage')
    await gated.predict(batch)
    expect(runStage).toHaveBeenCalledTimes(2)
  })

  it('shows the policy the rows that are left, their spent MACs and its own state, at the gates only', async () => {
    const { model, batch } = await createExample()
    const observations: Omit<Observation, 'scores'>[] = []
    const policy: ExitPolicy<number> = {
      specVersion: 'v1',
      name: 'recorder',
      init: (batchSize) => batchSize,
      decide({ scores, ...observation }, state) {
        observations.push(observation)
        expect(state).toBe(4 + observation.stage)
        return { exit: Uint8Array.from({ length: scores.rows }, (_, row) => (row === 1 ? 1 : 0)), state: state + 1 }
      },
    }
    await createGatedModel({ model, policy }).predict(batch)
    const counter = createFlopCounter(model.network)
    expect(observations).toEqual([
      { stage: 0, rowIndices: Uint32Array.of(0, 1, 2, 3), macsSpent: counter.countThrough(0) },
      { stage: 1, rowIndices: Uint32Array.of(0, 2, 3), macsSpent: counter.countThrough(1) },
    ])
  })

  it('never shows a batch of zero rows to the backend', async () => {
    const { model, gated } = await createExample()
    const upload = vi.spyOn(model, 'upload')
    const empty: Tensor = { type: 'float32', dims: [0, 2, 3], data: new Float32Array(0) }
    expect(await collect(gated.run(empty))).toEqual([])
    expect(await gated.predict(empty)).toEqual({
      classes: new Int32Array(0),
      scores: { data: new Float32Array(0), rows: 0, classCount: 3 },
      exits: new Uint32Array(0),
      macs: new Float64Array(0),
    })
    expect(upload).not.toHaveBeenCalled()
  })

  it('keeps runs that are in progress at once apart', async () => {
    const { gated, model, batch } = await createExample()
    const alone = await gated.predict(batch)
    expect(await Promise.all([1, 2, 3].map(() => gated.predict(batch)))).toEqual([alone, alone, alone])
    expect(model.liveHandles).toBe(0)
  })

  it('disposes every handle when the consumer leaves the loop', async () => {
    const { gated, model, batch } = await createExample()
    for await (const _ of gated.run(batch)) break
    expect(model.liveHandles).toBe(0)
  })

  it('stops between stages with the reason of the signal and disposes every handle', async () => {
    const { gated, model, batch } = await createExample()
    const controller = new AbortController()
    const reason = new Error('stop')
    const run = gated.run(batch, { signal: controller.signal })
    await run.next()
    controller.abort(reason)
    await expect(run.next()).rejects.toBe(reason)
    expect(model.liveHandles).toBe(0)
  })

  it('does not start when the signal was aborted before', async () => {
    const { gated, model, batch } = await createExample()
    const upload = vi.spyOn(model, 'upload')
    await expect(gated.predict(batch, { signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(upload).not.toHaveBeenCalled()
  })

  it('disposes every handle when the backend fails', async () => {
    for (const method of ['runStage', 'selectRows'] as const) {
      const { gated, model, batch } = await createExample()
      vi.spyOn(model, method).mockRejectedValueOnce(new Error('device lost'))
      await expect(gated.predict(batch)).rejects.toThrow('device lost')
      expect(model.liveHandles).toBe(0)
    }
  })
})

describe('createGatedModel on bad input', () => {
  it.each<[string, Tensor, new (...values: never[]) => Error, string]>([
    ['a missing axis', { type: 'float32', dims: [1, 6], data: new Float32Array(6) }, ShapeMismatchError, '[1, 6]'],
    ['a wrong size', { type: 'float32', dims: [1, 2, 4], data: new Float32Array(8) }, ShapeMismatchError, 'rows, 2, 3'],
    ['no axis', { type: 'float32', dims: [], data: new Float32Array(1) }, ShapeMismatchError, '[]'],
    ['half a row', { type: 'float32', dims: [0.5, 2, 3], data: new Float32Array(3) }, ShapeMismatchError, '0.5'],
    ['missing data', { type: 'float32', dims: [2, 2, 3], data: new Float32Array(6) }, ShapeMismatchError, '[6]'],
    ['integers', { type: 'int32', dims: [1, 2, 3], data: new Int32Array(6) }, DataTypeMismatchError, 'int32'],
  ])('refuses a batch with %s before anything runs', async (_, batch, errorClass, message) => {
    const { gated, model } = await createExample()
    const upload = vi.spyOn(model, 'upload')
    const failure = gated.predict(batch)
    await expect(failure).rejects.toBeInstanceOf(errorClass)
    await expect(failure).rejects.toThrow(message)
    expect(upload).not.toHaveBeenCalled()
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'names the input row that holds %d',
    async (value) => {
      const { gated, batch } = await createExample()
      batch.data[2 * 6 + 5] = value
      const failure = gated.predict(batch)
      await expect(failure).rejects.toBeInstanceOf(NonFiniteValueError)
      await expect(failure).rejects.toThrow(`The batch holds ${value} in row 2`)
    },
  )

  it('names the original row whose scores are not finite and disposes every handle', async () => {
    const { batch, network } = await createExample()
    const { stages } = network
    const overflow = stages.map((stage, index) => {
      const [layer] = stage.layers
      if (index !== 2 || layer === undefined) return stage
      const weights = Array.from({ length: 3 }, () => [3e38, 3e38, 3e38, 3e38])
      return { ...stage, layers: [{ weights, bias: [3e38, 3e38, 3e38], activation: 'none' as const }] }
    })
    const model = await load({ ...network, stages: overflow })
    const gated = createGatedModel({ model, policy: createScriptedPolicy([0, 1, 0, 2]) })
    const failure = gated.predict(batch)
    await expect(failure).rejects.toBeInstanceOf(NonFiniteValueError)
    await expect(failure).rejects.toThrow(/score array of stage 2 holds -?Infinity in row 3/)
    expect(model.liveHandles).toBe(0)
  })

  it.each([
    ['of the wrong length', new Uint8Array(3), '3 values for 4 rows'],
    ['with another value than 0 and 1', Uint8Array.of(0, 1, 2, 0), 'holds 2 at position 2'],
  ])('refuses an exit mask %s and disposes every handle', async (_, exit, message) => {
    const { model, batch } = await createExample()
    const policy = { ...createScriptedPolicy([]), name: 'broken', decide: () => ({ exit, state: null }) }
    const failure = createGatedModel({ model, policy }).predict(batch)
    await expect(failure).rejects.toBeInstanceOf(PolicyContractError)
    await expect(failure).rejects.toThrow(message)
    expect(model.liveHandles).toBe(0)
  })

  it('refuses a backend that gives scores of another shape or no activation', async () => {
    const { model, batch } = await createExample()
    const policy = createScriptedPolicy([])
    const scores = { data: new Float32Array(8), rows: 4, classCount: 2 }
    const wide = { ...model, runStage: async () => ({ activation: null, scores: createHandle(scores) }) }
    const failure = createGatedModel({ model: wide, policy }).predict(batch)
    await expect(failure).rejects.toBeInstanceOf(BackendContractError)
    await expect(failure).rejects.toThrow('8 scores as [4, 2]; [4, 3] were due')
    const right = { data: new Float32Array(12), rows: 4, classCount: 3 }
    const short = { ...model, runStage: async () => ({ activation: null, scores: createHandle(right) }) }
    await expect(createGatedModel({ model: short, policy }).predict(batch)).rejects.toThrow('gave no activation')
  })

  it('refuses a model or a policy of another contract version', async () => {
    const { model } = await createExample()
    const policy = createScriptedPolicy([])
    const later = { specVersion: 'v2' as 'v1' }
    expect(() => createGatedModel({ model: { ...model, ...later }, policy })).toThrow(UnsupportedVersionError)
    expect(() => createGatedModel({ model, policy: { ...policy, ...later } })).toThrow(
      `'scripted' has specVersion "v2"`,
    )
  })
})

function createHandle(scores: ClassScores) {
  return { rows: scores.rows, read: async () => scores, dispose: () => undefined }
}
