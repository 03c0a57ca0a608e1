import { type ClassScores, freeMemory, NonFiniteValueError, ShapeMismatchError, type Tensor } from '@sluice/core'
import type { CollectedBatch, FeatureCollection } from './feature-collection.ts'
import { checkLabels } from './targets.ts'
import { toLogits } from './to-logits.ts'

/** One batch as the network takes it. */
export interface FeatureBatch {
  /** `[rows, ...]`, preprocessed. */
  readonly images: Tensor<'float32'>
  /** One class per row; null where the data have none. */
  readonly labels: Int32Array | null
  readonly rows: number
}

/** What a network says of one batch. */
export interface TappedAnswer {
  /** The network's own class scores. */
  readonly scores: ClassScores
  /** Pooled features by cut tensor, `[rows, features]`; always those of the same tensors. */
  readonly features: ReadonlyMap<string, Float32Array>
}

/** A pass over data. */
export interface CollectFeaturesOptions {
  /** Runs the whole network on one batch. What it gives is the caller's: the features' memory is freed when stored. */
  readonly run: (images: Tensor<'float32'>) => Promise<TappedAnswer>
  /** Fits read neighbouring rows together, so data sorted by class should be shuffled first. */
  readonly batches: AsyncIterable<FeatureBatch>
  /** Where the rows are appended. */
  readonly collection: FeatureCollection
  readonly signal?: AbortSignal | undefined
  /** Called after each batch with the rows done in this pass. */
  readonly onProgress?: (rows: number) => void
}

/**
 * Runs the network once over the data and keeps nothing but pooled features at the taps, its scores and the labels.
 * Several passes may fill one collection: all candidate cuts on the first part of the data, then
 * `collection.keep(chosen)` and the chosen ones on the rest.
 *
 * @throws InvalidArgumentError naming the first row whose label is no class of the network
 * @throws NonFiniteValueError naming the first row for which the network answers NaN or infinity
 * @throws ShapeMismatchError when the network answers for another number of rows
 * @throws the signal's reason when aborted
 */
export async function collectFeatures(options: CollectFeaturesOptions): Promise<void> {
  const { run, batches, collection, signal, onProgress } = options
  let done = 0
  for await (const batch of batches) {
    signal?.throwIfAborted()
    const collected = checkBatch(batch, await run(batch.images), collection.rows)
    await collection.append(collected)
    for (const data of collected.features.values()) freeMemory(data)
    done += batch.rows
    onProgress?.(done)
  }
}

/** @param firstRow number of the batch's first row, for messages */
function checkBatch({ rows, labels }: FeatureBatch, { scores, features }: TappedAnswer, firstRow: number) {
  const { data, classCount } = scores
  if (scores.rows !== rows) {
    throw new ShapeMismatchError("The network's output", [scores.rows, classCount], [rows, 'classes'])
  }
  const bad = data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    const row = firstRow + Math.floor(bad / classCount)
    throw new NonFiniteValueError("The network's scores", row, data[bad] as number)
  }
  if (labels !== null) checkLabels(labels, classCount, firstRow)
  return { rows, labels, networkScores: toLogits(scores), features } satisfies CollectedBatch
}
