import { InvalidArgumentError } from '@sluice/core'
import type { Dataset } from './dataset.ts'
import { createRandom } from './random.ts'

/** Which samples to use, applied in the order shuffle, skip, limit. */
export interface Selection {
  /** Seed of the random order, 0..2^32 - 1. */
  readonly shuffle?: number
  /** Samples to leave out at the start. */
  readonly skip?: number
  /** Samples to keep at most. */
  readonly limit?: number
}

/** Indices of the selected samples among `size`, in order. @throws InvalidArgumentError when none is left */
export function selectIndices(size: number, { shuffle, skip = 0, limit = size }: Selection): Uint32Array {
  const order = shuffle === undefined ? Uint32Array.from({ length: size }, (_, index) => index) : permute(size, shuffle)
  const selected = order.subarray(skip, skip + limit)
  if (selected.length > 0) return selected
  throw new InvalidArgumentError(
    `No samples are left of ${size} after skip=${skip} and limit=${limit}; use a smaller skip or a limit of at least 1.`,
  )
}

/** The selected samples as a dataset of their own. @throws InvalidArgumentError when none is left */
export function select(dataset: Dataset, selection: Selection): Dataset {
  return pickSamples(dataset, selectIndices(dataset.size, selection))
}

/** The samples of the given indices, in that order, as a dataset of their own. */
export function pickSamples(dataset: Dataset, picked: Uint32Array): Dataset {
  return {
    ...dataset,
    size: picked.length,
    read: async (indices) => {
      checkIndices(indices, picked.length)
      return dataset.read(Uint32Array.from(indices, (index) => picked[index] as number))
    },
  }
}

/** @throws InvalidArgumentError for an index that is not a whole number in 0..size - 1 */
export function checkIndices(indices: Uint32Array | readonly number[], size: number): void {
  for (const index of indices) {
    if (Number.isInteger(index) && index >= 0 && index < size) continue
    throw new InvalidArgumentError(`Sample ${index} does not exist; the dataset has samples 0 to ${size - 1}.`)
  }
}

/** The numbers below `size` in a random order (Fisher-Yates). */
export function permute(size: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, index) => index)
  const random = createRandom(seed)
  for (let last = size - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const value = order[last] as number
    order[last] = order[other] as number
    order[other] = value
  }
  return order
}
