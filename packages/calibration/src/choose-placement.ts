import { InvalidArgumentError } from '@sluice/core'
import { createDropTest, type DropTarget, type DropTest, describeSampleSize } from './drop-target.ts'
import { checkExitTable, countFullCost, type ExitTable, selectGates } from './exit-table.ts'
import { countAlongPath, createLevelPath, findLevelStep } from './level-path.ts'
import { evaluateThresholds, type OperatingPoint } from './operating-point.ts'
import { createSearchSpace, type SearchSpace } from './threshold-grid.ts'

export interface PlacementOptions extends DropTarget {
  /** At most so many gates are chosen. Default: all candidates. */
  readonly maxGates?: number
  /**
   * A further gate must save at least this fraction of the backbone's cost. Default 0.001: less is noise and one more
   * head to ship.
   */
  readonly leastGain?: number
  /**
   * Drops in points beside `maxDrop`; what counts is the mean of the costs at all of them. None when absent. On a few
   * thousand samples a single operating point rests on some twenty wrong answers: the gates chosen for it are noise.
   */
  readonly furtherDrops?: readonly number[]
}

export interface Placement {
  /** Indices into the table's gates, ascending. */
  readonly gates: readonly number[]
  /** What these gates alone do at the target on the table's samples, heads of the others not counted. */
  readonly point: OperatingPoint
  /** False when no gate saves anything at the target or the further drops; `gates` is then empty. */
  readonly met: boolean
  readonly warnings: readonly string[]
}

/**
 * Chooses the candidate gates that minimise the mean cost at the target drop. Starts without gates; adds the best,
 * then leaves out or moves whatever pays, as long as something does. Each set of gates is priced by the level path, one
 * pass over the samples. A head is paid by every row that reaches it, so gates that catch few rows are not chosen.
 *
 * @throws InvalidArgumentError for `maxGates` that is not an integer >= 1, or a target that is not a number
 * @throws SluiceError of `checkExitTable`
 */
export function choosePlacement(table: ExitTable, options: PlacementOptions): Placement {
  checkExitTable(table)
  const { maxGates = Math.max(table.gates.length, 1), leastGain = 0.001, furtherDrops = [] } = options
  checkCount('maxGates', maxGates)
  const path = createLevelPath(table)
  const space = createSearchSpace(table, path)
  const priceAt = (maxDrop: number) => createPricer(space, createDropTest({ ...options, maxDrop }))
  const priceAtTarget = priceAt(options.maxDrop)
  const pricers = [priceAtTarget, ...furtherDrops.map(priceAt)]
  const meanCost = (set: GateSet) => pricers.reduce((sum, price) => sum + price(set).cost, 0) / pricers.length
  const gates = improve(table.gates.length, maxGates, leastGain * countFullCost(table.cost), meanCost)
  const { step } = priceAtTarget(gates)
  const thresholds = gates.map((gate) => path.thresholds[gate]?.[step] as number)
  const point = evaluateThresholds(selectGates(table, gates), thresholds)
  return { gates, point, met: gates.length > 0, warnings: describeSampleSize(table.samples) }
}

export interface ProposalOptions extends DropTarget {
  /** Gates of the largest sets, at least 1. Default: all candidates. */
  readonly maxGates?: number
  /** Sets proposed of each size, at least 1. Default 2. */
  readonly setsPerSize?: number
}

/**
 * Gate sets worth trying on the machine, where the cost in the table is only an estimate: the cheapest few of each size
 * at the target drop, found by growing the cheapest of the size before, smaller sets first. Sets that save nothing are
 * left out.
 *
 * @returns ascending indices into the table's gates; empty when no gate saves anything
 * @throws InvalidArgumentError for options that are not integers >= 1, or a target that is not a number
 * @throws SluiceError of `checkExitTable`
 */
export function proposePlacements(table: ExitTable, options: ProposalOptions): (readonly number[])[] {
  checkExitTable(table)
  const { maxGates = Math.max(table.gates.length, 1), setsPerSize = 2 } = options
  checkCount('maxGates', maxGates)
  checkCount('setsPerSize', setsPerSize)
  const price = createPricer(createSearchSpace(table, createLevelPath(table)), createDropTest(options))
  const fullCost = countFullCost(table.cost)
  const proposals: GateSet[] = []
  let beam: GateSet[] = [[]]
  for (let size = 1; size <= Math.min(maxGates, table.gates.length); size++) {
    const grown = new Map(beam.flatMap((set) => listAdditions(set, table.gates.length)).map((set) => [set.join(), set]))
    const priced = [...grown.values()].map((set) => ({ set, cost: price(set).cost })).sort((a, b) => a.cost - b.cost)
    const cheapest = priced.slice(0, setsPerSize)
    proposals.push(...cheapest.filter(({ cost }) => cost < fullCost).map(({ set }) => set))
    beam = cheapest.map(({ set }) => set)
  }
  return proposals
}

type GateSet = readonly number[]

function createPricer(space: SearchSpace, qualifies: DropTest) {
  const { samples, cost: costs } = space.table
  return (gates: GateSet): { cost: number; step: number } => {
    const counts = countAlongPath(space, gates)
    const step = findLevelStep(counts, samples, qualifies)
    let staying = 1
    let cost = 0
    let stage = 0
    const spend = (end: number) => {
      for (; stage < end; stage++) cost += staying * (costs.backbone[stage] as number)
    }
    gates.forEach((gate, index) => {
      spend(gate + 1)
      cost += staying * (costs.head[gate] as number)
      staying -= (counts.exits[index]?.[step] as number) / samples
    })
    spend(costs.backbone.length)
    return { cost, step }
  }
}

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return
  throw new InvalidArgumentError(`${name} is ${value}; pass an integer >= 1.`)
}

/** Greedy descent over sets of gates: the best addition, else the best removal or move, while it gains enough. */
function improve(candidates: number, maxGates: number, leastGain: number, costOf: (gates: GateSet) => number): GateSet {
  let gates: GateSet = []
  let cost = costOf(gates)
  for (;;) {
    const additions = gates.length < maxGates ? listAdditions(gates, candidates) : []
    const next = findBest(additions, costOf, cost - leastGain) ?? findBest(listMoves(gates, candidates), costOf, cost)
    if (next === null) return gates
    gates = next.gates
    cost = next.cost
  }
}

function findBest(sets: readonly GateSet[], costOf: (gates: GateSet) => number, limit: number) {
  let best: { gates: GateSet; cost: number } | null = null
  for (const gates of sets) {
    const cost = costOf(gates)
    if (cost < (best?.cost ?? limit)) best = { gates, cost }
  }
  return best
}

function listAdditions(gates: GateSet, candidates: number): GateSet[] {
  const free = Array.from({ length: candidates }, (_, gate) => gate).filter((gate) => !gates.includes(gate))
  return free.map((gate) => [...gates, gate].sort((a, b) => a - b))
}

/** Every set with one gate left out, or moved to another place between its neighbours. */
function listMoves(gates: GateSet, candidates: number): GateSet[] {
  return gates.flatMap((moved, index) => {
    const [before, after] = [gates.slice(0, index), gates.slice(index + 1)]
    const start = (before.at(-1) ?? -1) + 1
    const places = Array.from({ length: (after[0] ?? candidates) - start }, (_, place) => start + place)
    return [
      [...before, ...after],
      ...places.filter((gate) => gate !== moved).map((gate) => [...before, gate, ...after]),
    ]
  })
}
