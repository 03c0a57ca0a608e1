import type { ClassScores } from './class-scores.ts'
import { PolicyContractError } from './errors.ts'

/** Positions in the group of rows at a gate, ascending; every row is in exactly one of the two. */
export interface RowSplit {
  readonly leaving: Uint32Array
  readonly staying: Uint32Array
}

/** The indices 0 to `count - 1`. */
export function createRowIndices(count: number): Uint32Array {
  const indices = new Uint32Array(count)
  for (let i = 1; i < count; i++) indices[i] = i
  return indices
}

/** The split at the last stage. */
export function splitAllLeaving(rows: number): RowSplit {
  return { leaving: createRowIndices(rows), staying: new Uint32Array(0) }
}

/** Splits a group of `rows` rows by a policy's exit mask. @throws PolicyContractError for a wrong length or value */
export function splitByMask(policyName: string, mask: Uint8Array, rows: number): RowSplit {
  if (mask.length !== rows) {
    throw new PolicyContractError(
      policyName,
      `its exit mask has ${mask.length} values for ${rows} rows; return one each.`,
    )
  }
  const leaving = new Uint32Array(countExits(policyName, mask))
  const staying = new Uint32Array(rows - leaving.length)
  for (let row = 0, left = 0, stayed = 0; row < rows; row++) {
    if (mask[row] === 1) leaving[left++] = row
    else staying[stayed++] = row
  }
  return { leaving, staying }
}

function countExits(policyName: string, mask: Uint8Array): number {
  let exits = 0
  for (let row = 0; row < mask.length; row++) {
    const value = mask[row] as number
    if (value !== 0 && value !== 1) {
      throw new PolicyContractError(policyName, `its exit mask holds ${value} at position ${row}; return 0 or 1.`)
    }
    exits += value
  }
  return exits
}

/** The values at ascending `positions`; `values` itself, uncopied, when that is all of them. */
export function takeIndices(values: Uint32Array, positions: Uint32Array): Uint32Array {
  if (positions.length === values.length) return values
  return positions.map((position) => values[position] as number)
}

/** The scores of the rows at ascending `positions`; `scores` itself, uncopied, when that is all of them. */
export function takeScores(scores: ClassScores, positions: Uint32Array): ClassScores {
  if (positions.length === scores.rows) return scores
  const { classCount } = scores
  const data = new Float32Array(positions.length * classCount)
  positions.forEach((position, row) => {
    data.set(scores.data.subarray(position * classCount, (position + 1) * classCount), row * classCount)
  })
  return { data, rows: positions.length, classCount }
}
