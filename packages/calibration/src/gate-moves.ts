import { estimateDropStandardError } from './operating-point.ts'
import type { RowExits, SearchSpace } from './threshold-grid.ts'

/** What the whole gated network would do at each step of one gate, the other gates held, `[steps]` each. */
export interface GateMoves {
  /** In points of accuracy. */
  readonly drop: Float64Array
  readonly dropStandardError: Float64Array
  /** Mean cost per sample in the table's unit. */
  readonly cost: Float64Array
}

/** Measures every step of a gate against the present exits of all rows. */
export function measureGateMoves(space: SearchSpace, { first, second }: RowExits, gate: number): GateMoves {
  const { lost, exitCosts, grid } = space
  const entry = space.entries[gate] as Uint16Array
  const lostHere = lost[gate] as Int8Array
  const costHere = exitCosts[gate] as number
  const net = new Float64Array(grid.steps + 1)
  const changed = new Float64Array(grid.steps + 1)
  const cost = new Float64Array(grid.steps + 1)
  for (let row = 0; row < first.length; row++) {
    const present = first[row] as number
    const other = present === gate ? (second[row] as number) : present
    const there = (lost[other] as Int8Array)[row] as number
    const costThere = exitCosts[other] as number
    net[0] = (net[0] as number) + there
    changed[0] = (changed[0] as number) + there * there
    cost[0] = (cost[0] as number) + costThere
    if (other < gate) continue
    const step = entry[row] as number
    const here = lostHere[row] as number
    net[step] = (net[step] as number) + here - there
    changed[step] = (changed[step] as number) + here * here - there * there
    cost[step] = (cost[step] as number) + costHere - costThere
  }
  return summarise(net, changed, cost, first.length)
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
