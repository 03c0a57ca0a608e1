import { estimateDropStandardError } from './operating-point.ts'
import { findExits, type SearchSpace } from './threshold-grid.ts'

/** What the whole gated network would do at each step of one gate, the other gates held, `[steps]` each. */
export interface GateMoves {
  /** In points of accuracy. */
  readonly drop: Float64Array
  readonly dropStandardError: Float64Array
  /** Mean cost per sample in the table's unit. */
  readonly cost: Float64Array
}

/** Measures every step of gate `gate`; `steps` are the present steps of all gates and stay as they are. */
export function measureGateMoves(space: SearchSpace, steps: ArrayLike<number>, gate: number): GateMoves {
  const { lost, exitCosts, grid } = space
  const exits = findExits(
    space,
    Array.from(steps, (step, index) => (index === gate ? 0 : step)),
  )
  const entry = space.entries[gate] as Uint16Array
  const lostHere = lost[gate] as Int8Array
  const [net, changed, cost] = [0, 1, 2].map(() => new Float64Array(grid.steps + 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  for (let row = 0; row < exits.length; row++) {
    const exit = exits[row] as number
    const lostThere = (lost[exit] as Int8Array)[row] as number
    net[0] = (net[0] as number) + lostThere
    changed[0] = (changed[0] as number) + lostThere * lostThere
    cost[0] = (cost[0] as number) + (exitCosts[exit] as number)
    if (exit < gate) continue
    const step = entry[row] as number
    const here = lostHere[row] as number
    net[step] = (net[step] as number) + here - lostThere
    changed[step] = (changed[step] as number) + here * here - lostThere * lostThere
    cost[step] = (cost[step] as number) + (exitCosts[gate] as number) - (exitCosts[exit] as number)
  }
  return summarise(net, changed, cost, exits.length)
}

function summarise(net: Float64Array, changed: Float64Array, cost: Float64Array, samples: number): GateMoves {
  const steps = net.length - 1
  const drop = new Float64Array(steps)
  const dropStandardError = new Float64Array(steps)
  const meanCost = new Float64Array(steps)
  let [netSum, changedSum, costSum] = [0, 0, 0]
  for (let step = 0; step < steps; step++) {
    netSum += net[step] as number
    changedSum += changed[step] as number
    costSum += cost[step] as number
    drop[step] = (100 * netSum) / samples
    dropStandardError[step] = estimateDropStandardError(netSum, changedSum, samples)
    meanCost[step] = costSum / samples
  }
  return { drop, dropStandardError, cost: meanCost }
}
