import type { ExitTable, GateOutcomes } from './exit-table.ts'

/** For tests: how a table is drawn. */
export interface GeneratedTableOptions {
  readonly samples: number
  readonly gates: number
  /** Whether rows that reach the end are answered otherwise than by the full network; false when absent. */
  readonly revisesEnd?: boolean
  /** Uniform numbers in 0..1. */
  readonly random: () => number
}

/**
 * For tests: samples of random difficulty and gates that grow abler with depth. A gate is right where its ability
 * beats the difficulty and some noise; its score is a noisy view of the same margin, squeezed into 0..1.
 */
export function generateTable({ samples, gates, revisesEnd = false, random }: GeneratedTableOptions): ExitTable {
  const difficulty = Float64Array.from({ length: samples }, random)
  const isRight = (ability: number) =>
    Uint8Array.from(difficulty, (d) => (ability - d + 0.2 * random() - 0.1 > 0 ? 1 : 0))
  const gate = (ability: number): GateOutcomes => ({
    scores: Float32Array.from(difficulty, (d) => 1 / (1 + Math.exp(-8 * (ability - d + 0.2 * random() - 0.1)))),
    right: isRight(ability),
    range: [0, 1],
  })
  return {
    samples,
    gates: Array.from({ length: gates }, (_, index) => gate(0.6 + (0.3 * index) / gates)),
    finalRight: isRight(0.93),
    ...(revisesEnd && { endRight: isRight(0.95) }),
    cost: { backbone: new Array<number>(gates + 1).fill(10), head: new Array<number>(gates).fill(0.1) },
  }
}
