import type { StagedModel } from '../backend.ts'
import type { ClassScores } from '../class-scores.ts'
import { createGatedModel } from '../gated-model.ts'
import {
  createRandomBatch,
  createRandomReferenceNetwork,
  createReferenceBackend,
  createReferenceBundle,
  createScriptedPolicy,
  type ReferenceNetwork,
} from '../reference.ts'

/** The network on the reference backend. */
export async function load(network: ReferenceNetwork): Promise<StagedModel> {
  return createReferenceBackend().load(await createReferenceBundle(network))
}

/** Three stages, four rows; row `i` leaves at stage `exits[i]`. */
export async function createExample(exits: readonly number[] = [1, 0, 2, 1]) {
  const network = createRandomReferenceNetwork({ seed: 7, inputShape: [2, 3], cutWidths: [5, 4], classCount: 3 })
  const batch = createRandomBatch(8, exits.length, [2, 3])
  const model = await load(network)
  return { network, batch, model, gated: createGatedModel({ model, policy: createScriptedPolicy(exits) }) }
}

/** A copy of one row's scores. */
export function getRow({ data, classCount }: ClassScores, row: number): Float32Array {
  return data.slice(row * classCount, (row + 1) * classCount)
}
