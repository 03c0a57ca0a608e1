import type { StagedModel, StagedNetwork, WholeNetwork, WholeResult } from './backend.ts'
import { checkFinite } from './batch.ts'
import { BackendContractError } from './errors.ts'
import type { ExitPolicy } from './exit-policy.ts'

/** Null where the policy cannot say itself as data, the backend cannot decide them, or there are none. */
export function joinGates(model: StagedModel, { expression }: ExitPolicy): WholeNetwork | null {
  const { stages } = model.network
  if (expression === undefined || stages.length < 2) return null
  const gates = stages.slice(1).map((_, gate) => expression.gates[gate] ?? null)
  return model.joinGates?.({ ...expression, gates }) ?? null
}

/** What a result is checked against. */
export interface WholeReading {
  readonly network: StagedNetwork
  /** Rows of the batch. */
  readonly rows: number
}

/** @throws BackendContractError for another number of answers than is due, NonFiniteValueError */
export function checkWholeResult(result: WholeResult, { network, rows }: WholeReading): WholeResult {
  const { scores, exits } = result
  const { classCount, stages } = network
  const isComplete = scores.data.length === rows * classCount && exits.length === rows
  if (!isComplete || exits.some((stage) => stage >= stages.length)) {
    throw new BackendContractError(
      `the whole network gave ${scores.data.length} scores and exits [${exits}]; ${rows} rows of ${classCount} scores and an exit below ${stages.length} each were due.`,
    )
  }
  checkFinite('The score array of the whole network', scores.data, classCount)
  return result
}
