import { freeMemory, NonFiniteValueError, ShapeMismatchError, type Tensor } from '@sluice/core'
import {
  addFeatureTaps,
  type FeatureTap,
  type FeatureTapOutput,
  type NamedTensors,
  type OnnxEngine,
  type OnnxModel,
  writeOnnxModel,
} from '@sluice/onnx-graph'
import type { FeatureCollection } from './feature-collection.ts'
import { checkLabels } from './targets.ts'

/** One batch as the network takes it. */
export interface FeatureBatch {
  /** `[rows, ...]`, preprocessed. */
  readonly images: Tensor<'float32'>
  /** One class per row; null where the data have none. */
  readonly labels: Int32Array | null
  readonly rows: number
}

/** A pass over data. */
export interface CollectFeaturesOptions {
  readonly engine: OnnxEngine
  /** The whole network, weights inline. */
  readonly model: OnnxModel
  /** Name of the network's input. */
  readonly input: string
  /** Name of the network's output with its class scores, `[batch, classes]`. */
  readonly output: string
  /** The cuts and how their activations are pooled. */
  readonly taps: readonly FeatureTap[]
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
 * @throws the signal's reason when aborted
 */
export async function collectFeatures(options: CollectFeaturesOptions): Promise<void> {
  const { engine, model, input, taps, batches, collection, signal, onProgress } = options
  const tapped = addFeatureTaps(model, taps)
  const session = await engine.createSession(writeOnnxModel(tapped.model))
  try {
    let done = 0
    for await (const batch of batches) {
      signal?.throwIfAborted()
      const results = await session.run({ [input]: batch.images })
      const collected = collectBatch(options, batch, tapped.outputs, results)
      await collection.append(collected)
      for (const data of collected.features.values()) freeMemory(data)
      done += batch.rows
      onProgress?.(done)
    }
  } finally {
    await session.release()
  }
}

function collectBatch(
  { output, collection }: CollectFeaturesOptions,
  { rows, labels }: FeatureBatch,
  taps: readonly FeatureTapOutput[],
  results: NamedTensors,
) {
  const scores = results[output]
  if (scores?.type !== 'float32' || scores.dims.length !== 2 || scores.dims[0] !== rows) {
    throw new ShapeMismatchError(`The network's output '${output}'`, scores?.dims ?? [], [rows, 'classes'])
  }
  const networkScores = scores.data as Float32Array
  const classCount = networkScores.length / rows
  const bad = networkScores.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    const row = collection.rows + Math.floor(bad / classCount)
    throw new NonFiniteValueError("The network's scores", row, networkScores[bad] as number)
  }
  if (labels !== null) checkLabels(labels, classCount, collection.rows)
  const features = new Map(taps.map(({ tensor, name }) => [tensor, results[name]?.data as Float32Array]))
  return { rows, labels, networkScores, features }
}
