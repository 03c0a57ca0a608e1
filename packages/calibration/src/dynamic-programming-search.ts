import type { DropTest } from './drop-target.ts'
import { countFullCost } from './exit-table.ts'
import { type GateMoves, measureGateMoves } from './gate-moves.ts'
import { type SearchSpace, traceExits } from './threshold-grid.ts'

const bisections = 12
const passes = 2

/**
 * Optimal stopping with a price on every point of accuracy: minimises `cost + price * drop` gate by gate from the
 * deepest to the first (Bellman's backward induction; each row's value of going on is what it gets from the deeper
 * gates), then finds the lowest price whose result qualifies. Which rows reach a gate depends on the gates before it,
 * so the induction runs again from its own result.
 *
 * @param start a step per gate that qualifies; returned when no price gives anything cheaper
 * @returns a step per gate
 */
export function searchDynamicProgramming(
  space: SearchSpace,
  start: ArrayLike<number>,
  qualifies: DropTest,
): Uint16Array {
  const costPerPoint = countFullCost(space.table.cost)
  let best = Uint16Array.from(start)
  let bestCost = Number.POSITIVE_INFINITY
  let [low, high] = [Math.log(costPerPoint * 1e-4), Math.log(costPerPoint * 1e2)]
  for (let bisection = 0; bisection < bisections; bisection++) {
    const logPrice = (low + high) / 2
    const result = induceBackward(space, start, Math.exp(logPrice))
    if (!qualifies(result.drop, result.dropStandardError)) {
      low = logPrice
      continue
    }
    high = logPrice
    if (result.cost < bestCost) [best, bestCost] = [result.steps, result.cost]
  }
  return best
}

function induceBackward(space: SearchSpace, start: ArrayLike<number>, price: number) {
  const steps = Uint16Array.from(start)
  let [drop, dropStandardError, cost] = [0, 0, 0]
  for (let pass = 0; pass < passes; pass++) {
    for (let gate = steps.length - 1; gate >= 0; gate--) {
      const moves = measureGateMoves(space, traceExits(space, steps), gate)
      const step = findLeastLoss(moves, price)
      steps[gate] = step
      drop = moves.drop[step] as number
      dropStandardError = moves.dropStandardError[step] as number
      cost = moves.cost[step] as number
    }
  }
  return { steps, drop, dropStandardError, cost }
}

function findLeastLoss({ drop, cost }: GateMoves, price: number): number {
  let best = 0
  const lossAt = (step: number) => (cost[step] as number) + price * (drop[step] as number)
  for (let step = 1; step < cost.length; step++) if (lossAt(step) < lossAt(best)) best = step
  return best
}
