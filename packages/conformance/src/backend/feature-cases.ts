import { createGatedModel, disposeRows, type ExitPolicy, type PooledFeatures, type StagedModel } from '@sluice/core'
import { computeReferenceFeatures, createScriptedPolicy } from '@sluice/core/reference'
import { expect } from 'vitest'
import { selectFeatures } from '../rows.ts'
import { type BackendCase, checkScenarios, type Tolerance, withModel } from './backend-context.ts'
import { createExample, type Scenario, scenarios } from './scenario.ts'

/** Pooled features of the network for policies that look at them. */
export const featureCases: readonly BackendCase[] = [
  {
    name: 'every gate gives the reference features of every row where its stage is described to, and else none',
    run: (context) =>
      checkScenarios(context, scenarios, async (model, { network, batch }) => {
        const expected = computeReferenceFeatures(network, batch)
        let activation = await model.upload(batch)
        for (const [stage, { yieldsFeatures }] of network.stages.entries()) {
          const result = await model.runStage(stage, activation)
          activation.dispose()
          expect(result.features === undefined).toBe(!yieldsFeatures)
          if (result.features !== undefined) {
            expect(result.features.rows).toBe(batch.dims[0])
            expectCloseFeatures(await result.features.read(), expected[stage], context)
          }
          disposeRows(result)
          activation = result.activation ?? activation
        }
      }),
  },
  {
    name: "features that were read are the caller's own and stay valid after dispose and during later runs",
    async run(context) {
      const { network, batch } = createExample()
      await withModel(context, network, async (model) => {
        const [expected] = computeReferenceFeatures(network, batch)
        const features = await readFirstFeatures(model, batch)
        const other = await readFirstFeatures(model, { ...batch, data: batch.data.map((value) => -value) })
        expectCloseFeatures(features, expected, context)
        other.data.fill(1000)
        expectCloseFeatures(await readFirstFeatures(model, batch), expected, context)
      })
    },
  },
  {
    name: 'the runner shows a policy that uses features those of the rows that are left, and gates let them go',
    run: (context) =>
      withModel(context, createExample().network, async (model) => {
        const { network, batch, exits } = createExample()
        const all = computeReferenceFeatures(network, batch)
        const policy = watch(
          { ...createScriptedPolicy(exits), usesFeatures: true },
          ({ stage, rowIndices, features }) => {
            const expected = selectFeatures(all[stage] ?? expect.unreachable(), Array.from(rowIndices))
            expectCloseFeatures(features, expected, context)
          },
        )
        const { exits: actual } = await createGatedModel({ model, policy }).predict(batch)
        expect(Array.from(actual)).toEqual(exits)
      }),
  },
  {
    name: 'the runner reads no features for a policy that uses none',
    run: (context) =>
      withModel(context, createExample().network, async (model) => {
        const { batch, exits } = createExample()
        const policy = watch(createScriptedPolicy(exits), ({ features }) => expect(features).toBeUndefined())
        await createGatedModel({ model: refuseToRead(model), policy }).predict(batch)
      }),
  },
]

type Watch = (observation: Parameters<ExitPolicy['decide']>[0]) => void

/** The policy, which shows what it observes before it decides. */
function watch(policy: ExitPolicy<null>, look: Watch): ExitPolicy<null> {
  return {
    ...policy,
    decide(observation, state) {
      look(observation)
      return policy.decide(observation, state)
    },
  }
}

/** The model, whose features cannot be read. */
function refuseToRead(model: StagedModel): StagedModel {
  return {
    specVersion: 'v1',
    network: model.network,
    liveHandles: 0,
    upload: (batch) => model.upload(batch),
    async runStage(index, activation) {
      const { features, ...result } = await model.runStage(index, activation)
      return { ...result, features: features && { ...features, read: () => expect.unreachable('features were read') } }
    },
    selectRows: (activation, rows) => model.selectRows(activation, rows),
    dispose: () => model.dispose(),
  }
}

/** Features of the first gate; everything is disposed. */
async function readFirstFeatures(model: StagedModel, batch: Scenario['batch']): Promise<PooledFeatures> {
  const uploaded = await model.upload(batch)
  const result = await model.runStage(0, uploaded)
  const features = await (result.features ?? expect.unreachable()).read()
  for (const handle of [uploaded, result.activation]) handle?.dispose()
  disposeRows(result)
  return features
}

function expectCloseFeatures(
  actual: PooledFeatures | undefined,
  expected: PooledFeatures | undefined,
  { rtol, atol }: Tolerance,
): void {
  if (actual === undefined || expected === undefined) throw new Error('There are no features.')
  expect([actual.rows, actual.width, actual.data.length]).toEqual([expected.rows, expected.width, expected.data.length])
  expected.data.forEach((value, i) => {
    const difference = Math.abs((actual.data[i] as number) - value)
    expect(difference, `value ${i}: ${actual.data[i]} for ${value}`).toBeLessThanOrEqual(atol + rtol * Math.abs(value))
  })
}
