import { hash32 } from './random.ts'

/** Rows that a head is fitted on, and rows that only judge it; both ascending. */
export interface RowSplit {
  readonly fitted: Uint32Array
  readonly heldOut: Uint32Array
}

/**
 * Splits the rows of positive weight by a hash of their sample, so that all heads of one seed hold out the same rows.
 * Changed copies of samples fit and never judge, and those of held-out samples do neither.
 *
 * @param weights one per row, 0 or more
 * @param share expected share of held-out samples, 0..1
 * @param samples the first rows are these samples, each later row is a changed copy of sample `row % samples`
 */
export function splitRows(weights: Float32Array, share: number, seed: number, samples = weights.length): RowSplit {
  const used = Uint32Array.from(weights.keys()).filter((row) => (weights[row] as number) > 0)
  const salt = hash32(seed)
  const isHeldOut = (row: number) => hash32((row % samples) ^ salt) >>> 0 < share * 0x1_0000_0000
  return {
    fitted: used.filter((row) => !isHeldOut(row)),
    heldOut: used.filter((row) => row < samples && isHeldOut(row)),
  }
}

/** At most `count` of the given rows, evenly spaced, in their order. */
export function takeEvenly(rows: Uint32Array, count: number): Uint32Array {
  const stride = Math.ceil(rows.length / count)
  return rows.filter((_, index) => index % stride === 0)
}
