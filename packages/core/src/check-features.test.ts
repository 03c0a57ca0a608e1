import { describe, expect, it, vi } from 'vitest'
import type { StagedModel, StageResult } from './backend.ts'
import { checkFeatures } from './check-features.ts'
import { BackendContractError, InvalidArgumentError, NonFiniteValueError } from './errors.ts'
import type { ExitPolicy, Observation } from './exit-policy.ts'
import { createGatedModel } from './gated-model.ts'
import type { PooledFeatures } from './pooled-features.ts'
import {
  computeReferenceFeatures,
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
  createScriptedPolicy,
} from './reference.ts'

const options = { seed: 7, inputShape: [2, 3], cutWidths: [5, 4], classCount: 3 }
const network = createRandomReferenceNetwork({ ...options, features: true })
const batch = createRandomBatch(8, 4, [2, 3])
const exits = [1, 0, 2, 1]

async function load(source = network): Promise<StagedModel> {
  return createReferenceBackend().load(await createReferenceBundle(source))
}

/** A policy that notes what it is shown. */
function createWatch(usesFeatures: boolean) {
  const seen: Observation[] = []
  const scripted = createScriptedPolicy(exits)
  const policy: ExitPolicy = {
    ...scripted,
    usesFeatures,
    decide(observation) {
      seen.push(observation)
      return scripted.decide(observation, null)
    },
  }
  return { policy, seen }
}

/** The model with every feature array changed as it is read. */
function changeFeatures(model: StagedModel, change: (features: PooledFeatures) => PooledFeatures): void {
  const { runStage } = model
  vi.spyOn(model, 'runStage').mockImplementation(async (index, activation): Promise<StageResult> => {
    const { features, ...result } = await runStage(index, activation)
    return { ...result, features: features && { ...features, read: async () => change(await features.read()) } }
  })
}

describe('createGatedModel with pooled features', () => {
  it('shows a policy that uses them those of the rows that are left, and nothing to others', async () => {
    const model = await load()
    const { policy, seen } = createWatch(true)
    await createGatedModel({ model, policy }).predict(batch)
    const [first, second] = computeReferenceFeatures(network, batch)
    expect(seen.map(({ features }) => features?.rows)).toEqual([4, 3])
    expect(seen[0]?.features).toEqual(first)
    const rest = [0, 2, 3].flatMap((row) => Array.from(second?.data.subarray(4 * row, 4 * row + 4) ?? []))
    expect(seen[1]?.features).toEqual({ data: Float32Array.from(rest), rows: 3, width: 4 })
    const blind = createWatch(false)
    changeFeatures(model, () => expect.unreachable('features were read'))
    await createGatedModel({ model, policy: blind.policy }).predict(batch)
    expect(blind.seen.map(({ features }) => features)).toEqual([undefined, undefined])
    expect(model.liveHandles).toBe(0)
  })

  it.each<[string, (features: PooledFeatures) => PooledFeatures, new (...values: never[]) => Error, string]>([
    [
      'of another width',
      (features) => ({ ...features, width: 10, rows: 2 }),
      BackendContractError,
      'stage 0 gave 20 pooled features as [2, 10]; [4, 5] were due',
    ],
    [
      'that are no numbers',
      (features) => ({ ...features, data: features.data.with(7, Number.NaN) }),
      NonFiniteValueError,
      'The feature array of stage 0 holds NaN in row 1',
    ],
  ])('refuses features %s and disposes every handle', async (_, change, errorClass, message) => {
    const model = await load()
    changeFeatures(model, change)
    const failure = createGatedModel({ model, policy: createWatch(true).policy }).predict(batch)
    await expect(failure).rejects.toBeInstanceOf(errorClass)
    await expect(failure).rejects.toThrow(message)
    expect(model.liveHandles).toBe(0)
  })

  it('refuses a policy that uses them on gates that yield none, and says what to do', async () => {
    const model = await load(createRandomReferenceNetwork(options))
    const { policy } = createWatch(true)
    expect(() => createGatedModel({ model, policy })).toThrow(InvalidArgumentError)
    expect(() => createGatedModel({ model, policy })).toThrow(
      'gate 0 of this bundle yields none. Attach the gates again',
    )
    expect(() => checkFeatures(createWatch(false).policy, model.network)).not.toThrow()
  })
})
