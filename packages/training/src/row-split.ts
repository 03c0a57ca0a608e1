import { hash32 } from './random.ts'

/** Rows that a head is fitted on, and rows that only judge it; both ascending. */
export interface RowSplit {
  readonly fitted: Uint32Array
  readonly heldOut: Uint32Array
}

/**
 * Splits the rows of positive weight by a hash of their index, so that all heads of one seed hold out the same rows.
 *
 * @param weights one per row, 0 or more
 * @param share expected share of held-out rows, 0..1
 */
export function splitRows(weights: Float32Array, share: number, seed: number): RowSplit {
  const used = Uint32Array.from(weights.keys()).filter((row) => (weights[row] as number) > 0)
  const salt = hash32(seed)
  const isHeldOut = (row: number) => hash32(row ^ salt) >>> 0 < share * 0x1_0000_0000
  return { fitted: used.filter((row) => !isHeldOut(row)), heldOut: used.filter(isHeldOut) }
}

/** At most `count` of the given rows, evenly spaced, in their order. */
export function takeEvenly(rows: Uint32Array, count: number): Uint32Array {
  const stride = Math.ceil(rows.length / count)
  return rows.filter((_, index) => index % stride === 0)
}
