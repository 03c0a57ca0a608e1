import type { InputDescription } from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { inputBatches } from '../input-batches.ts'
import type { FrozenNetwork, NetworkPass } from './frozen-network.ts'

const sampleRows = 512

/** Times the plain network on samples of a dataset, reading and preprocessing included. */
export interface PlainForwardEstimate {
  /** Runs one sample. Take one before and one after what is compared: machines have slow spells. */
  sample(): Promise<void>
  /** Seconds for the whole dataset: the median batch of all samples, scaled up. */
  seconds(): number
}

/** @param batchSize rows of each run */
export function createPlainForwardEstimate(
  network: Pick<FrozenNetwork, 'openPass'>,
  dataset: Dataset,
  input: InputDescription,
  batchSize: number,
): PlainForwardEstimate {
  const secondsPerRow: number[] = []
  return {
    async sample() {
      const pass = await network.openPass([])
      try {
        secondsPerRow.push(...(await timeBatches(dataset, input, batchSize, pass)))
      } finally {
        await pass.close()
      }
    },
    seconds() {
      const ordered = secondsPerRow.toSorted((a, b) => a - b)
      return (ordered[Math.floor(ordered.length / 2)] ?? 0) * dataset.size
    },
  }
}

/** Seconds a row of each batch, reading and preprocessing included. */
async function timeBatches(
  dataset: Dataset,
  input: InputDescription,
  batchSize: number,
  pass: NetworkPass,
): Promise<number[]> {
  const secondsPerRow: number[] = []
  let startMs: number | null = null
  const limit = Math.min(dataset.size, sampleRows)
  for await (const { images, rows } of inputBatches(select(dataset, { limit }), input, batchSize)) {
    if (startMs === null) {
      // The engine plans its memory in the first run, which is not counted.
      await pass.run(images)
      startMs = performance.now()
    }
    await pass.run(images)
    const endMs = performance.now()
    secondsPerRow.push((endMs - startMs) / 1000 / rows)
    startMs = endMs
  }
  return secondsPerRow
}
