import { InvalidArgumentError } from '@sluice/core'
import {
  type Augmentation,
  augmentImages,
  type Dataset,
  epochOrder,
  normalise,
  type Preprocessing,
} from '@sluice/datasets'

/** A shuffled, changed and preprocessed batch. The consumer owns the arrays. */
export interface TrainingBatch {
  /** `[rows, height, width, channels]`. */
  readonly images: Float32Array
  readonly labels: Int32Array
}

/** What a pass over training data needs to know. */
export interface TrainingBatchOptions {
  readonly dataset: Dataset
  readonly batch: number
  readonly augmentation: Augmentation
  /** Layout NHWC. */
  readonly input: Preprocessing
  readonly seed: number
  readonly epoch: number
  /** Batches of the epoch that have been seen already. */
  readonly firstStep: number
}

/** Whole batches in one pass over a dataset; samples that fill none wait for another epoch. */
export function countSteps({ size, name }: Dataset, batch: number): number {
  if (batch <= size) return Math.floor(size / batch)
  throw new InvalidArgumentError(`batch is ${batch} and ${name} has ${size} samples; use a batch of at most ${size}.`)
}

/**
 * The batches of an epoch from `firstStep` on; each is what it would be in an uninterrupted pass. The next one is read
 * while the consumer works.
 * @throws InvalidArgumentError for data without labels, and what `dataset.read` throws
 */
export async function* trainingBatches(options: TrainingBatchOptions): AsyncGenerator<TrainingBatch, void, undefined> {
  const { dataset, batch, seed, epoch, firstStep } = options
  const order = epochOrder(dataset.size, seed, epoch)
  const steps = countSteps(dataset, batch)
  const read = (step: number) => {
    const prepared = prepareBatch(order.subarray(step * batch, (step + 1) * batch), options)
    // The error surfaces when the batch is awaited; until then Node must not take it for an unhandled rejection.
    prepared.catch(() => {})
    return prepared
  }
  let ahead = firstStep < steps ? read(firstStep) : null
  for (let next = firstStep + 1; ahead !== null; next++) {
    const ready = await ahead
    ahead = next < steps ? read(next) : null
    yield ready
  }
}

async function prepareBatch(
  indices: Uint32Array,
  { dataset, augmentation, input, seed, epoch }: TrainingBatchOptions,
): Promise<TrainingBatch> {
  const { images, labels } = await dataset.read(indices)
  if (labels === null) {
    throw new InvalidArgumentError(`${dataset.name} has no labels; a network is trained on data with labels.`)
  }
  const { sampleShape } = dataset
  const isChanged = augmentation.pad > 0 || augmentation.flip
  const changed = isChanged ? augmentImages(images, augmentation, { sampleShape, indices, seed, epoch }) : images
  return { images: normalise(changed, input), labels }
}
