import { countExitCosts, type ExitTable, listRight } from './exit-table.ts'

/**
 * Every search chooses from the same grid of thresholds. Step 0 never fires; the higher the step, the lower the
 * threshold and the more rows leave.
 */
export interface ThresholdGrid {
  readonly steps: number
  /** Per gate `[steps]`, non-increasing, the first `Infinity`. */
  readonly thresholds: readonly Float64Array[]
}

/** A table seen through a grid: all that a search needs, as flat arrays. */
export interface SearchSpace {
  readonly table: ExitTable
  readonly grid: ThresholdGrid
  /** Per gate `[samples]`: the least step at which the row leaves there, or `grid.steps` where it never does. */
  readonly entries: readonly Uint16Array[]
  /** Per exit, the end included, `[samples]`: 1 where only the full network is right, -1 where only that exit is, else 0. */
  readonly lost: readonly Int8Array[]
  /** Cost of a row that leaves at each exit, the end included. */
  readonly exitCosts: Float64Array
}

/** Looks a table up in a grid; comparisons are those of `createThresholdPolicy`. */
export function createSearchSpace(table: ExitTable, grid: ThresholdGrid): SearchSpace {
  const { gates, finalRight, cost } = table
  return {
    table,
    grid,
    entries: gates.map(({ scores }, gate) => findEntries(scores, grid.thresholds[gate] as Float64Array)),
    lost: listRight(table).map((right) =>
      new Int8Array(right).map((value, row) => (finalRight[row] as number) - value),
    ),
    exitCosts: countExitCosts(cost),
  }
}

/** Where rows leave, `[samples]` each; the number of gates stands for the end. */
export interface RowExits {
  /** The first gate that fires. */
  readonly first: Uint8Array
  /** Where the row would leave if that gate did not fire. */
  readonly second: Uint8Array
}

/** Finds where every row leaves when every gate stands at its given step. */
export function traceExits({ entries, table }: SearchSpace, steps: ArrayLike<number>): RowExits {
  const first = new Uint8Array(table.samples).fill(entries.length)
  const second = first.slice()
  for (let gate = entries.length - 1; gate >= 0; gate--) {
    const entry = entries[gate] as Uint16Array
    const step = steps[gate] as number
    for (let row = 0; row < first.length; row++) {
      if ((entry[row] as number) > step) continue
      second[row] = first[row] as number
      first[row] = gate
    }
  }
  return { first, second }
}

function findEntries(scores: Float32Array, thresholds: Float64Array): Uint16Array {
  const entries = new Uint16Array(scores.length)
  for (let row = 0; row < entries.length; row++) {
    let low = 1
    let high = thresholds.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((scores[row] as number) >= (thresholds[middle] as number)) high = middle
      else low = middle + 1
    }
    entries[row] = low
  }
  return entries
}
