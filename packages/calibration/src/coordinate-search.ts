import type { DropTest } from './drop-target.ts'
import { countFullCost } from './exit-table.ts'
import { measureGateMoves } from './gate-moves.ts'
import { type SearchSpace, traceExits } from './threshold-grid.ts'

/** A move must save this fraction of the backbone's cost, which bounds their number. */
const smallestGain = 0.003

/**
 * Lowers one gate's threshold at a time, always by the move that saves most per point of accuracy, until no move that
 * saves something qualifies.
 *
 * @param start a step per gate that qualifies, safer than the target so that there is something to spend
 * @returns a step per gate
 */
export function searchCoordinates(
  space: SearchSpace,
  start: ArrayLike<number>,
  qualifies: DropTest,
): ArrayLike<number> {
  const steps = Uint16Array.from(start)
  for (;;) {
    const move = findBestMove(space, steps, qualifies)
    if (move === null) return steps
    steps[move.gate] = move.step
  }
}

function findBestMove(space: SearchSpace, steps: Uint16Array, qualifies: DropTest) {
  const leastGain = smallestGain * countFullCost(space.table.cost)
  // Moves that lose no sample would save infinitely much per point; count half a sample at least.
  const leastLoss = 50 / space.table.samples
  const exits = traceExits(space, steps)
  let best: { gate: number; step: number; rate: number } | null = null
  for (const [gate, present] of steps.entries()) {
    const { drop, dropStandardError, cost } = measureGateMoves(space, exits, gate)
    for (let step = present + 1; step < cost.length; step++) {
      const gain = (cost[present] as number) - (cost[step] as number)
      const rate = gain / Math.max((drop[step] as number) - (drop[present] as number), leastLoss)
      if (gain < leastGain || rate <= (best?.rate ?? 0)) continue
      if (qualifies(drop[step] as number, dropStandardError[step] as number)) best = { gate, step, rate }
    }
  }
  return best
}
