import { checkExitTable, type ExitTable } from '../exit-table.ts'
import type { LevelPath } from '../level-path.ts'
import { accumulate, addRange } from '../step-counts.ts'
import { createSearchSpace } from '../threshold-grid.ts'

/** What a path costs samples of a table, `[steps]` each. */
export interface PathLosses {
  /** Samples that the full network gets right and the gated one wrong. */
  readonly harmed: Int32Array
  /** Samples for which that is so at this step or at a safer one: never falls along the path. */
  readonly everHarmed: Int32Array
}

/**
 * Counts the harm along a path on samples that it was not made from. Without labels the full network counts as right
 * everywhere, and harm is disagreement with it.
 *
 * @throws SluiceError of `checkExitTable`
 */
export function countPathLosses(table: ExitTable, path: LevelPath): PathLosses {
  checkExitTable(table)
  const { entries, lost } = createSearchSpace(table, path)
  const harmed = new Int32Array(path.steps + 1)
  const everHarmed = new Int32Array(path.steps + 1)
  for (let row = 0; row < table.samples; row++) {
    let earliest = path.steps
    let firstHarm = path.steps
    const leave = (exit: number, first: number) => {
      if (first >= earliest) return
      if (lost[exit]?.[row] === 1) {
        addRange(harmed, first, earliest, 1)
        firstHarm = first
      }
      earliest = first
    }
    entries.forEach((entry, gate) => {
      leave(gate, entry[row] as number)
    })
    leave(entries.length, 0)
    addRange(everHarmed, firstHarm, path.steps, 1)
  }
  return { harmed: accumulate(harmed), everHarmed: accumulate(everHarmed) }
}
