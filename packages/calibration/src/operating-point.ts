import { ShapeMismatchError } from '@sluice/core'
import { checkExitTable, countExitCosts, countFullCost, type ExitTable, listRight } from './exit-table.ts'

/** What a table's samples get and cost under given thresholds. */
export interface OperatingPoint {
  /** One per gate; a row exits where its score is at least this. `Infinity` never fires. */
  readonly thresholds: readonly number[]
  /** Share of right answers of the gated network, 0..1. */
  readonly accuracy: number
  /** Share of right answers of the full network, 0..1. */
  readonly fullAccuracy: number
  /** `100 * (fullAccuracy - accuracy)`, in points; negative where the gates gain. */
  readonly drop: number
  /** Standard error of `drop` as an estimate for unseen samples, in points. */
  readonly dropStandardError: number
  /** Mean cost per sample, heads included, in the table's unit. */
  readonly cost: number
  /** Cost per sample of the backbone alone, in the table's unit. */
  readonly fullCost: number
  /** `1 - cost / fullCost`; negative where the heads cost more than the exits save. */
  readonly saved: number
  /** Share of the samples that leave at each gate, then the share that reaches the end, `[gates + 1]`. */
  readonly exitShares: readonly number[]
}

/** Counts from which an operating point follows. */
export interface OutcomeCounts {
  readonly thresholds: readonly number[]
  /** Samples that leave at each gate, then those that reach the end, `[gates + 1]`. */
  readonly exits: ArrayLike<number>
  /** Samples that only the full network gets right, less those that only the gated one gets right. */
  readonly lost: number
  /** Samples that exactly one of the two gets right. */
  readonly changed: number
}

/**
 * The gate at which each sample leaves, `[samples]`; the number of gates stands for the end.
 *
 * @param thresholds one per gate
 * @throws ShapeMismatchError when there is not one threshold per gate
 * @throws SluiceError of `checkExitTable`
 */
export function findExits(table: ExitTable, thresholds: readonly number[]): Uint8Array {
  checkExitTable(table)
  if (thresholds.length !== table.gates.length) {
    throw new ShapeMismatchError('thresholds', [thresholds.length], [table.gates.length])
  }
  const exits = new Uint8Array(table.samples).fill(thresholds.length)
  for (let gate = thresholds.length - 1; gate >= 0; gate--) {
    const scores = table.gates[gate]?.scores as Float32Array
    const threshold = thresholds[gate] as number
    for (let row = 0; row < exits.length; row++) if ((scores[row] as number) >= threshold) exits[row] = gate
  }
  return exits
}

/**
 * Walks every sample through the gates, as `createThresholdPolicy` of `@sluice/core` would.
 *
 * @param thresholds one per gate
 * @throws ShapeMismatchError when there is not one threshold per gate
 * @throws SluiceError of `checkExitTable`
 */
export function evaluateThresholds(table: ExitTable, thresholds: readonly number[]): OperatingPoint {
  const { finalRight } = table
  const right = listRight(table)
  const exits = new Uint32Array(right.length)
  let lost = 0
  let changed = 0
  findExits(table, thresholds).forEach((exit, row) => {
    exits[exit] = (exits[exit] as number) + 1
    const difference = (finalRight[row] as number) - (right[exit]?.[row] as number)
    lost += difference
    changed += Math.abs(difference)
  })
  return createOutcomeDescriber(table)({ thresholds, exits, lost, changed })
}

/** Prepares what all operating points of a table share; the result turns counts into shares, costs and accuracies. */
export function createOutcomeDescriber(table: ExitTable): (counts: OutcomeCounts) => OperatingPoint {
  const { samples, cost, finalRight } = table
  const exitCosts = countExitCosts(cost)
  const fullCost = countFullCost(cost)
  const fullRight = finalRight.reduce((sum, right) => sum + right, 0)
  return ({ thresholds, exits, lost, changed }) => {
    const exitShares = Array.from(exits, (count) => count / samples)
    const meanCost = exitShares.reduce((sum, share, gate) => sum + share * (exitCosts[gate] as number), 0)
    return {
      thresholds,
      accuracy: (fullRight - lost) / samples,
      fullAccuracy: fullRight / samples,
      drop: (100 * lost) / samples,
      dropStandardError: estimateDropStandardError(lost, changed, samples),
      cost: meanCost,
      fullCost,
      saved: 1 - meanCost / fullCost,
      exitShares,
    }
  }
}

/**
 * Standard error, in points, of the mean of `samples` outcomes in {-1, 0, 1} that sum to `lost` and of which `changed`
 * are not 0. One imaginary changed sample keeps it above 0 where nothing has gone wrong yet.
 */
export function estimateDropStandardError(lost: number, changed: number, samples: number): number {
  const variance = (changed + 1) / samples - (lost / samples) ** 2
  return 100 * Math.sqrt(variance / samples)
}
