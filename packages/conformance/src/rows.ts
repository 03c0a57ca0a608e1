import type { ClassScores, PooledFeatures, Tensor } from '@sluice/core'

/** The scores of one row; a copy. */
export function getScoresRow({ data, classCount }: ClassScores, row: number): Float32Array {
  return data.slice(row * classCount, (row + 1) * classCount)
}

/** The scores of the given rows, in the given order; a copy. */
export function selectScores({ data, classCount }: ClassScores, rows: readonly number[]): ClassScores {
  return { data: selectData(data, classCount, rows), rows: rows.length, classCount }
}

/** The features of the given rows, in the given order; a copy. */
export function selectFeatures({ data, width }: PooledFeatures, rows: readonly number[]): PooledFeatures {
  return { data: selectData(data, width, rows), rows: rows.length, width }
}

/** The given rows of a batch, in the given order; a copy. */
export function selectBatchRows({ data, dims }: Tensor<'float32'>, rows: readonly number[]): Tensor<'float32'> {
  const [rowCount = 0, ...shape] = dims
  return { type: 'float32', dims: [rows.length, ...shape], data: selectData(data, data.length / rowCount, rows) }
}

function selectData(data: Float32Array, length: number, rows: readonly number[]): Float32Array {
  const selected = new Float32Array(rows.length * length)
  rows.forEach((row, position) => {
    selected.set(data.subarray(row * length, (row + 1) * length), position * length)
  })
  return selected
}
