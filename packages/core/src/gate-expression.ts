import type { ScoreExpression } from './score-expression.ts'

/** A gate's whole decision as data: a row leaves when its score is at least the threshold. `Infinity` never fires. */
export interface GateExpression {
  readonly score: ScoreExpression
  readonly threshold: number
}

/** The gate that lets nobody go. */
export const idleGate: GateExpression = {
  score: { operator: 'row-maximum', of: 'scores' },
  threshold: Number.POSITIVE_INFINITY,
}
