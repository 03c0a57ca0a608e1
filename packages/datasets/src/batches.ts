import { InvalidArgumentError } from '@sluice/core'
import type { Dataset, LabelledBatch } from './dataset.ts'

/**
 * The dataset in order, `size` samples at a time; the last batch may be smaller. The next batch is read while the
 * caller works on the one before.
 * @throws InvalidArgumentError unless size is a whole number from 1 on, and what `dataset.read` throws
 */
export async function* batches(dataset: Dataset, size: number): AsyncGenerator<LabelledBatch, void, undefined> {
  if (!Number.isInteger(size) || size < 1) {
    throw new InvalidArgumentError(`A batch of ${size} samples is not possible; use a whole number from 1 on.`)
  }
  const read = (start: number) => {
    const rows = Math.min(size, dataset.size - start)
    const batch = dataset.read(Uint32Array.from({ length: rows }, (_, row) => start + row))
    // The error surfaces when the batch is awaited; until then Node must not take it for an unhandled rejection.
    batch.catch(() => {})
    return batch
  }
  let ahead = dataset.size > 0 ? read(0) : null
  for (let next = size; ahead !== null; next += size) {
    const batch = await ahead
    ahead = next < dataset.size ? read(next) : null
    yield batch
  }
}
