import { InvalidArgumentError, NonFiniteValueError, ShapeMismatchError } from '@sluice/core'

/** What one gate would do with every sample, were it asked. */
export interface GateOutcomes {
  /** Exit score per sample, `[samples]`, higher = readier to exit. */
  readonly scores: Float32Array
  /** 1 where the gate's answer is right, else 0, `[samples]`. */
  readonly right: Uint8Array
  /** Lowest and highest value a score can take: the `range` of the policy family. */
  readonly range: readonly [number, number]
}

/**
 * Cost of one row in each piece of the network, in any one unit (MACs, milliseconds). Every row that reaches a gate
 * pays for its head, whether the gate may fire or not; a gate costs nothing only when it is not in the table.
 */
export interface ExitCost {
  /** One per stage, `[gates + 1]`. */
  readonly backbone: readonly number[]
  /** One per gate, `[gates]`. */
  readonly head: readonly number[]
}

/**
 * Everything that thresholds are chosen from: no network is run again. "Right" is measured against labels, or, where
 * there are none, against the full network's own answer; `finalRight` is then all 1 and a drop of accuracy is
 * disagreement with the full network. Read only; nothing in this package keeps or changes the arrays.
 */
export interface ExitTable {
  readonly samples: number
  /** In the order of the network. */
  readonly gates: readonly GateOutcomes[]
  /** 1 where the full network's answer is right, `[samples]`. */
  readonly finalRight: Uint8Array
  /** 1 where the answer of a row that reaches the end is right, `[samples]`; absent where that is the full network's. */
  readonly endRight?: Uint8Array | undefined
  readonly cost: ExitCost
}

/** An exit is kept in one byte. */
const maxGates = 254

/**
 * Checks a table once, where it enters.
 *
 * @throws InvalidArgumentError for an empty table, over 254 gates, a cost that is not a finite number >= 0, a
 * backbone without cost
 * @throws ShapeMismatchError for arrays whose lengths differ
 * @throws NonFiniteValueError for a score that is NaN or infinite
 */
export function checkExitTable(table: ExitTable): void {
  const { samples, gates, finalRight, endRight, cost } = table
  if (!Number.isSafeInteger(samples) || samples < 1) {
    throw new InvalidArgumentError(`An exit table needs at least one sample and has ${samples}; pass calibration data.`)
  }
  checkLength('finalRight', finalRight.length, samples)
  if (endRight !== undefined) checkLength('endRight', endRight.length, samples)
  checkLength('cost.backbone', cost.backbone.length, gates.length + 1)
  checkLength('cost.head', cost.head.length, gates.length)
  if (gates.length > maxGates) {
    throw new InvalidArgumentError(`The table has ${gates.length} gates; pass at most ${maxGates}.`)
  }
  for (const value of [...cost.backbone, ...cost.head]) checkCost(value)
  if (!(countFullCost(cost) > 0)) {
    throw new InvalidArgumentError('The backbone costs 0 in every stage; pass the MACs or milliseconds of each stage.')
  }
  gates.forEach((gate, index) => {
    checkGate(gate, index, samples)
  })
}

/** Of each exit, the end included, where its answers are right, `[samples]` each. */
export function listRight({ gates, finalRight, endRight = finalRight }: ExitTable): readonly Uint8Array[] {
  return [...gates.map(({ right }) => right), endRight]
}

/** Cost of one row in the whole backbone, without any head. */
export function countFullCost(cost: ExitCost): number {
  return cost.backbone.reduce((sum, value) => sum + value, 0)
}

/** Cost of one row that leaves at each gate, heads included; the last entry is a row that leaves nowhere. */
export function countExitCosts(cost: ExitCost): Float64Array {
  let sum = 0
  return Float64Array.from(cost.backbone, (backbone, stage) => {
    sum += backbone + (cost.head[stage] ?? 0)
    return sum
  })
}

/**
 * The table of the same samples with some of the gates. Scores that a family takes from earlier gates too, and answers at
 * the end, stay what they were with all of them: fit the family again on the gates that remain. Without gates the full
 * network answers.
 *
 * @param selected indices into `table.gates`, ascending
 * @throws InvalidArgumentError for indices that do not exist or do not ascend
 */
export function selectGates(table: ExitTable, selected: readonly number[]): ExitTable {
  return {
    ...table,
    cost: selectGateCosts(table.cost, selected),
    gates: table.gates.filter((_, gate) => selected.includes(gate)),
    endRight: selected.length === 0 ? undefined : table.endRight,
  }
}

/**
 * What rows cost with some of the gates: the stages around a gate that is left out become one, and its head costs nothing.
 *
 * @param gates indices of gates, ascending
 * @throws InvalidArgumentError for indices that do not exist or do not ascend
 */
export function selectGateCosts(cost: ExitCost, gates: readonly number[]): ExitCost {
  let stage = 0
  const backbone = gates.map((gate) => {
    if (!(gate >= stage && gate < cost.head.length)) {
      throw new InvalidArgumentError(
        `Gate ${gate} of [${gates}] does not exist or is out of order; pass ascending indices.`,
      )
    }
    const start = stage
    stage = gate + 1
    return sumRange(cost.backbone, start, stage)
  })
  return {
    backbone: [...backbone, sumRange(cost.backbone, stage, cost.backbone.length)],
    head: gates.map((gate) => cost.head[gate] as number),
  }
}

/**
 * The table of some of the samples, copied.
 *
 * @param rows indices of samples, in the order wanted
 */
export function selectSamples(table: ExitTable, rows: Uint32Array): ExitTable {
  const pick = (source: Uint8Array) => Uint8Array.from(rows, (row) => source[row] as number)
  return {
    samples: rows.length,
    gates: table.gates.map(({ scores, right, range }) => ({
      scores: Float32Array.from(rows, (row) => scores[row] as number),
      right: pick(right),
      range,
    })),
    finalRight: pick(table.finalRight),
    endRight: table.endRight && pick(table.endRight),
    cost: table.cost,
  }
}

function checkGate({ scores, right }: GateOutcomes, index: number, samples: number): void {
  checkLength(`gates[${index}].scores`, scores.length, samples)
  checkLength(`gates[${index}].right`, right.length, samples)
  const row = scores.findIndex((score) => !Number.isFinite(score))
  if (row >= 0) throw new NonFiniteValueError(`The exit score of gate ${index}`, row, scores[row] as number)
}

function checkLength(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new ShapeMismatchError(what, [actual], [expected])
}

function checkCost(value: number): void {
  if (Number.isFinite(value) && value >= 0) return
  throw new InvalidArgumentError(`A stage or head costs ${value}; pass a finite number of MACs or milliseconds >= 0.`)
}

function sumRange(values: readonly number[], start: number, end: number): number {
  return values.slice(start, end).reduce((sum, value) => sum + value, 0)
}
