import type { Tfjs } from '@sluice/adapter-tfjs'
import { type Dataset, epochOrder, normalise, type Preprocessing } from '@sluice/datasets'
import type { ParameterValues } from '../networks/parameter-values.ts'
import { restoreBatchStatistics } from '../networks/restore-batch-statistics.ts'
import { assignParameterValues, type TrainableNetwork } from '../networks/trainable-network.ts'

/** Images from which an imported network's batch statistics are measured. */
const statisticsImages = 2048

/** The training data and how they enter the network. */
export interface StatisticsSource {
  readonly dataset: Dataset
  /** Layout NHWC. */
  readonly input: Preprocessing
  readonly seed: number
}

/**
 * Gives a network the values of another one, ready to be trained: with the data's batch statistics, which files whose
 * normalisations are folded away do not have.
 * @throws WeightMismatchError when the values are not those of such a network
 */
export async function importInitialValues(
  tf: Tfjs,
  network: TrainableNetwork,
  values: ParameterValues,
  source: StatisticsSource,
): Promise<void> {
  assignParameterValues(tf, network, values)
  await restoreBatchStatistics(tf, network, imageBatches(tf, source))
}

async function* imageBatches(tf: Tfjs, { dataset, input, seed }: StatisticsSource) {
  const sample = epochOrder(dataset.size, seed, 0).subarray(0, statisticsImages)
  const [height = 1, width = 1, channels = 1] = input.shape
  for (let start = 0; start < sample.length; start += 128) {
    const { images, rows } = await dataset.read(sample.subarray(start, start + 128))
    const batch = tf.tensor4d(normalise(images, input), [rows, height, width, channels])
    yield batch
    batch.dispose()
  }
}
