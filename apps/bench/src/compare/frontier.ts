import {
  createLevelPath,
  type ExitTable,
  evaluateLevelPath,
  evaluateThresholds,
  type OperatingPoint,
} from '@sluice/calibration'
import { InvalidArgumentError } from '@sluice/core'

/** Gates that stand, and a threshold for each of them. */
export interface GateThresholds {
  readonly standing: readonly number[]
  readonly thresholds: readonly number[]
}

/** The operating points of which none is both dearer and less accurate than another. */
export interface Frontier {
  /** The most accurate point whose mean cost is at most this share of the full network's; the cheapest where none is. */
  findWithin(budget: number): GateThresholds
}

/** Shares are sums of many small fractions. */
const rounding = 1e-9

/**
 * Collects all points of the level paths of sets of gates, on the samples that their tables hold.
 *
 * @param sets at least one
 */
export function createFrontier(
  sets: readonly { readonly standing: readonly number[]; readonly table: ExitTable }[],
): Frontier {
  const points = sets.flatMap(({ standing, table }) =>
    listPoints(table).map(({ thresholds, accuracy, saved }) => ({
      standing,
      thresholds,
      accuracy,
      costShare: 1 - saved,
    })),
  )
  points.sort((a, b) => a.costShare - b.costShare || b.accuracy - a.accuracy)
  let best = Number.NEGATIVE_INFINITY
  const front = points.filter(({ accuracy }) => {
    const isBetter = accuracy > best
    best = Math.max(best, accuracy)
    return isBetter
  })
  const [cheapest] = front
  if (cheapest === undefined) throw new InvalidArgumentError('There are no sets of gates to choose from; pass one.')
  return { findWithin: (budget) => front.findLast(({ costShare }) => costShare <= budget + rounding) ?? cheapest }
}

/** Along the level path, and where every row leaves at the first gate, which rounding keeps from the path's last step. */
function listPoints(table: ExitTable): OperatingPoint[] {
  if (table.gates.length === 0) return [evaluateThresholds(table, [])]
  const lowest = table.gates.map(({ range }) => range[0])
  return [...evaluateLevelPath(table, createLevelPath(table)), evaluateThresholds(table, lowest)]
}
