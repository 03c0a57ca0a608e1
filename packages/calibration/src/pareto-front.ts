import { checkExitTable, type ExitTable } from './exit-table.ts'
import { createLevelPath, evaluateLevelPath, type LevelPath } from './level-path.ts'
import type { OperatingPoint } from './operating-point.ts'

/**
 * All operating points of the level path that no other of its points beats: more saved always costs a larger drop.
 *
 * @param path made from other samples; by default made from the table's own
 * @returns ascending in `saved` and in `drop`, never empty
 * @throws SluiceError of `checkExitTable`
 */
export function findParetoFront(table: ExitTable, path: LevelPath = createLevelPath(table)): OperatingPoint[] {
  checkExitTable(table)
  const front: OperatingPoint[] = []
  const points = evaluateLevelPath(table, path).sort((a, b) => b.saved - a.saved || a.drop - b.drop)
  for (const point of points) {
    const last = front.at(-1)
    if (last === undefined || (point.drop < last.drop && point.saved < last.saved)) front.push(point)
  }
  return front.reverse()
}
