/** How much a measurement runs. */
export interface Work {
  /** Batches of a round, at least 1. */
  readonly batches: number
  /** Timed rounds, at least 1; one more is run before them. */
  readonly rounds: number
}

/**
 * The part of some work that fits into a time: fewer batches first, since rounds show how much times vary, then fewer
 * rounds, down to one of each.
 *
 * @param roundMs time that one batch takes in a round, all contenders together
 */
export function fitWork({ batches, rounds }: Work, roundMs: number, limitMs: number): Work {
  const fittingBatches = clamp(limitMs / ((rounds + 1) * roundMs), batches)
  return { batches: fittingBatches, rounds: clamp(limitMs / (fittingBatches * roundMs) - 1, rounds) }
}

/** The value rounded down, from 1 to `highest`. */
export function clamp(value: number, highest: number): number {
  return Math.max(1, Math.min(highest, Math.floor(value)))
}
