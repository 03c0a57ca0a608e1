import type { ScoreExpression } from './score-expression.ts'

/** A gate's whole decision as data: a row leaves when its score is at least the threshold. `Infinity` never fires. */
export interface GateExpression {
  readonly score: ScoreExpression
  readonly threshold: number
  /** What rows that leave answer with, a matrix `[rows, classes]`; the gate's own class scores where absent. */
  readonly answer?: ScoreExpression | undefined
}

/** A whole policy as data. */
export interface PolicyExpression {
  /**
   * Gate by gate; null for one that is off, which is no earlier gate to those that follow. Gates beyond the list are off.
   * One with the threshold `Infinity` stands.
   */
  readonly gates: readonly (GateExpression | null)[]
  /** What rows that no gate lets go answer with, a matrix `[rows, classes]`; the full network's scores where absent. */
  readonly end?: ScoreExpression | undefined
}
