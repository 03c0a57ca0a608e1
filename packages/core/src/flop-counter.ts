import type { StagedNetwork } from './backend.ts'
import type { StageMacs } from './bundle.ts'
import { InvalidArgumentError } from './errors.ts'

/** Counts what a row costs. All figures are MACs (1 MAC = 2 FLOPs), exact integers. */
export interface FlopCounter {
  /** Cost of one row in one stage. @throws InvalidArgumentError outside the network's stages */
  countStage(stage: number): StageMacs
  /** Cost of one row from the input to the end of a stage, heads included. */
  countThrough(stage: number): number
}

/** A counter over a network's declared stage costs. @throws InvalidArgumentError when one is not a safe integer >= 0 */
export function createFlopCounter(network: Pick<StagedNetwork, 'stages'>): FlopCounter {
  let total = 0
  const cumulative = network.stages.map(({ macs }, stage) => {
    total += checkMacs(macs.backbone, stage) + checkMacs(macs.head, stage)
    return checkMacs(total, stage)
  })
  const at = <T>(values: readonly T[], stage: number): T => {
    const value = values[stage]
    if (value === undefined) {
      throw new InvalidArgumentError(`Stage ${stage} does not exist; the network has stages 0 to ${values.length - 1}.`)
    }
    return value
  }
  return {
    countStage: (stage) => at(network.stages, stage).macs,
    countThrough: (stage) => at(cumulative, stage),
  }
}

function checkMacs(value: number, stage: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new InvalidArgumentError(`Stage ${stage} costs ${value} MACs; a cost is an integer from 0 to 2^53 - 1.`)
}
