import { argmaxRows, type ClassScores } from './class-scores.ts'
import type { FlopCounter } from './flop-counter.ts'

/** Rows that leave the network together at one stage. The consumer owns the arrays. */
export interface ExitGroup {
  readonly stage: number
  /** Their indices in the batch that entered the network, ascending. */
  readonly rows: Uint32Array
  /** The class scores that answer, `[rows.length, classCount]`, in the order of `rows`. */
  readonly scores: ClassScores
  /** MACs spent on each of them, heads included. */
  readonly macsPerRow: number
}

/** The answers for a whole batch, in the order of its rows. */
export interface Predictions {
  /** Index of each row's highest score. */
  readonly classes: Int32Array
  /** Scores at the exit that answered, `[rows, classCount]`. */
  readonly scores: ClassScores
  /** Index of the stage at whose end each row left. */
  readonly exits: Uint32Array
  /** MACs spent on each row, heads included. */
  readonly macs: Float64Array
}

/** Puts groups that hold rows 0 to n - 1 exactly once into row order. */
export function collectPredictions(groups: readonly ExitGroup[], classCount: number): Predictions {
  const rows = groups.reduce((total, group) => total + group.rows.length, 0)
  const scores = { data: new Float32Array(rows * classCount), rows, classCount }
  const exits = new Uint32Array(rows)
  const macs = new Float64Array(rows)
  for (const group of groups) {
    group.rows.forEach((row, position) => {
      const from = position * classCount
      scores.data.set(group.scores.data.subarray(from, from + classCount), row * classCount)
      exits[row] = group.stage
      macs[row] = group.macsPerRow
    })
  }
  return { classes: argmaxRows(scores), scores, exits, macs }
}

/** Predictions of rows that are in row order already. */
export function describeAnswers(scores: ClassScores, exits: Uint32Array, counter: FlopCounter): Predictions {
  const macs = Float64Array.from(exits, (stage) => counter.countThrough(stage))
  return { classes: argmaxRows(scores), scores, exits, macs }
}
