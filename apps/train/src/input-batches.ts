import { setImmediate } from 'node:timers/promises'
import { type InputDescription, ShapeMismatchError, type Tensor } from '@sluice/core'
import { batches, type Dataset, normalise, sampleShapeOf } from '@sluice/datasets'

/** Rows as the network takes them. The consumer owns the arrays. */
export interface InputBatch {
  /** `[rows, ...input.shape]`, preprocessed. */
  readonly images: Tensor<'float32'>
  readonly labels: Int32Array | null
  readonly rows: number
}

/**
 * A dataset in order, preprocessed for a network. Timers and signals get their turn before each batch, however fast the
 * consumer's own work settles.
 * @throws ShapeMismatchError when its samples do not fit the input
 */
export async function* inputBatches(
  dataset: Dataset,
  input: InputDescription,
  batchSize: number,
): AsyncGenerator<InputBatch, void, undefined> {
  checkSampleShape(dataset, input)
  for await (const { images, labels, rows } of batches(dataset, batchSize)) {
    // Data in memory and TensorFlow.js in plain JavaScript settle in microtasks, so nothing else would let Ctrl-C in.
    await setImmediate()
    yield { images: createInput(images, rows, input), labels, rows }
  }
}

/** Preprocesses raw samples; takes `images` over. */
export function createInput(images: Float32Array, rows: number, input: InputDescription): Tensor<'float32'> {
  return { type: 'float32', dims: [rows, ...input.shape], data: normalise(images, input) }
}

function checkSampleShape(dataset: Dataset, input: InputDescription): void {
  const expected = sampleShapeOf(input)
  if (dataset.sampleShape.join() === expected.join()) return
  throw new ShapeMismatchError(`Every sample of ${dataset.name}`, dataset.sampleShape, expected)
}
