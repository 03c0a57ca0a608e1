import { InvalidArgumentError } from '@sluice/core'
import type { DropTest } from './drop-target.ts'
import { checkExitTable, type ExitTable, listRight } from './exit-table.ts'
import { fitHarmModel } from './harm-model.ts'
import { createOutcomeDescriber, estimateDropStandardError, type OperatingPoint } from './operating-point.ts'
import { accumulate, addRange } from './step-counts.ts'
import { createSearchSpace, type SearchSpace, type ThresholdGrid } from './threshold-grid.ts'

/**
 * The one-parameter family of operating points, from the safest to the most aggressive: at step `k` every gate fires
 * where its chance of harm (the end's answer right, the gate's wrong) is at most `harm[k]`. The path is nested: a row never
 * leaves later at a higher step. Fixed once made, so that it can be judged on samples it was not made from.
 */
export interface LevelPath extends ThresholdGrid {
  /** `[steps]`, ascending, 0..1; the first is 0, where nothing fires. */
  readonly harm: Float64Array
}

/** Fine enough that neighbouring steps differ by a few hundredths of a point. */
const stepCount = 1024

/**
 * Fits each gate's chance of harm and asks the same of all gates. The steps are even in the log-odds of harm, from a
 * tenth of a harmed sample in the whole table up to where every row leaves at once.
 *
 * @throws InvalidArgumentError for a table without gates
 * @throws SluiceError of `checkExitTable`
 */
export function createLevelPath(table: ExitTable): LevelPath {
  checkExitTable(table)
  if (table.gates.length === 0) {
    throw new InvalidArgumentError('The table has no gates, so there is no threshold to choose; attach gates first.')
  }
  const endRight = listRight(table).at(-1) as Uint8Array
  const models = table.gates.map((gate) => fitHarmModel(gate, endRight))
  const highest = Math.min(Math.max(...models.map((model) => model.highestLevel)), Math.log(10 * table.samples))
  const lowest = Math.min(highest, ...models.map((model) => model.lowestLevel))
  const levels = Float64Array.from({ length: stepCount }, (_, step) =>
    step === 0 ? Number.POSITIVE_INFINITY : highest - ((highest - lowest) * (step - 1)) / (stepCount - 2),
  )
  return {
    steps: stepCount,
    harm: levels.map((level) => 1 / (1 + Math.exp(level))),
    thresholds: models.map((model) => {
      let least = Number.POSITIVE_INFINITY
      return levels.map((level, step) => {
        if (step > 0) least = Math.min(least, model.thresholdAt(level))
        return least
      })
    }),
  }
}

/** What the samples do along a path, `[steps]` each. */
export interface PathCounts {
  /** Samples that only the full network gets right, less those that only the gated one gets right. */
  readonly lost: Int32Array
  /** Samples that exactly one of the two gets right. */
  readonly changed: Int32Array
  /** Per standing gate `[steps]`: samples that leave there. */
  readonly exits: readonly Int32Array[]
}

/**
 * Counts along the whole path in one pass over the rows: at each gate a row leaves from its entry step on, up to the
 * least entry step of the earlier gates; below all of them it reaches the end.
 *
 * @param gates which gates stand, ascending
 */
export function countAlongPath(space: SearchSpace, gates: readonly number[]): PathCounts {
  const { steps } = space.grid
  const earliest = new Uint16Array(space.table.samples).fill(steps)
  const lost = new Int32Array(steps + 1)
  const changed = new Int32Array(steps + 1)
  const addLoss = (first: number, end: number, loss: number) => {
    if (loss === 0) return
    addRange(lost, first, end, loss)
    addRange(changed, first, end, 1)
  }
  const exits = gates.map((gate) => {
    const entry = space.entries[gate] as Uint16Array
    const lostHere = space.lost[gate] as Int8Array
    const leaving = new Int32Array(steps + 1)
    for (let row = 0; row < entry.length; row++) {
      const first = entry[row] as number
      const end = earliest[row] as number
      if (first >= end) continue
      earliest[row] = first
      addRange(leaving, first, end, 1)
      addLoss(first, end, lostHere[row] as number)
    }
    return accumulate(leaving)
  })
  space.lost.at(-1)?.forEach((loss, row) => {
    addLoss(0, earliest[row] as number, loss)
  })
  return { lost: accumulate(lost), changed: accumulate(changed), exits }
}

/** The most aggressive step of a path that qualifies, 0 where none does. */
export function findLevelStep({ lost, changed }: PathCounts, samples: number, qualifies: DropTest): number {
  for (let step = lost.length - 1; step > 0; step--) {
    const net = lost[step] as number
    const error = estimateDropStandardError(net, changed[step] as number, samples)
    if (qualifies((100 * net) / samples, error)) return step
  }
  return 0
}

/**
 * The operating point of every step of a path on a table's samples, which need not be those the path was made from.
 *
 * @throws SluiceError of `checkExitTable`
 */
export function evaluateLevelPath(table: ExitTable, path: LevelPath): OperatingPoint[] {
  checkExitTable(table)
  const counts = countAlongPath(createSearchSpace(table, path), [...table.gates.keys()])
  const describe = createOutcomeDescriber(table)
  return Array.from(path.harm, (_, step) => {
    const leaving = counts.exits.map((exits) => exits[step] as number)
    return describe({
      thresholds: path.thresholds.map((thresholds) => thresholds[step] as number),
      exits: [...leaving, table.samples - leaving.reduce((sum, count) => sum + count, 0)],
      lost: counts.lost[step] as number,
      changed: counts.changed[step] as number,
    })
  })
}
