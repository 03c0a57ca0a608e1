import type { InputDescription } from './bundle.ts'
import { DataTypeMismatchError, NonFiniteValueError, ShapeMismatchError } from './errors.ts'
import { countElements, type Tensor } from './tensor.ts'

/**
 * Checks type and shape of a batch `[rows, ...input.shape]`; the values are not looked at.
 * @returns the number of rows, 0 allowed
 * @throws DataTypeMismatchError, ShapeMismatchError
 */
export function checkBatch(batch: Tensor, input: Pick<InputDescription, 'dataType' | 'shape'>): number {
  const { type, dims, data } = batch
  const [rows, ...shape] = dims
  if (type !== input.dataType) throw new DataTypeMismatchError('The batch', type, input.dataType)
  if (!isCount(rows) || shape.length !== input.shape.length || shape.some((size, axis) => size !== input.shape[axis])) {
    throw new ShapeMismatchError('The batch', dims, ['rows', ...input.shape])
  }
  if (data.length !== countElements(dims)) {
    throw new ShapeMismatchError('The data of the batch', [data.length], [countElements(dims)])
  }
  return rows
}

/**
 * Checks that `data`, `[rows, rowLength]` row major, holds no NaN and no infinity.
 * @param rowIndices the number by which the error names each row; its position when absent
 * @throws NonFiniteValueError for the first offending value
 */
export function checkFinite(what: string, data: Float32Array, rowLength: number, rowIndices?: Uint32Array): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number
    if (Number.isFinite(value)) continue
    const row = Math.floor(i / rowLength)
    throw new NonFiniteValueError(what, rowIndices?.[row] ?? row, value)
  }
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0
}
