import type { InputDescription } from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { type OnnxEngine, type OnnxModel, type OnnxSession, writeOnnxModel } from '@sluice/onnx-graph'
import { inputBatches } from '../input-batches.ts'

const sampleRows = 512

/** Times a plain session of the network on samples of a dataset, reading and preprocessing included. */
export interface PlainForwardEstimate {
  /** Runs one sample. Take one before and one after what is compared: machines have slow spells. */
  sample(): Promise<void>
  /** Seconds for the whole dataset: the median batch of all samples, scaled up. */
  seconds(): number
}

/** @param batchSize rows of each run */
export function createPlainForwardEstimate(
  engine: OnnxEngine,
  model: OnnxModel,
  dataset: Dataset,
  input: InputDescription,
  batchSize: number,
): PlainForwardEstimate {
  const secondsPerRow: number[] = []
  return {
    async sample() {
      const session = await engine.createSession(writeOnnxModel(model))
      try {
        secondsPerRow.push(...(await timeBatches(dataset, input, batchSize, (feeds) => session.run(feeds))))
      } finally {
        await session.release()
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
  run: OnnxSession['run'],
): Promise<number[]> {
  const secondsPerRow: number[] = []
  let startMs: number | null = null
  const limit = Math.min(dataset.size, sampleRows)
  for await (const batch of inputBatches(select(dataset, { limit }), input, batchSize)) {
    const feeds = { [input.name]: batch.images }
    if (startMs === null) {
      // The engine plans its memory in the first run, which is not counted.
      await run(feeds)
      startMs = performance.now()
    }
    await run(feeds)
    const endMs = performance.now()
    secondsPerRow.push((endMs - startMs) / 1000 / batch.rows)
    startMs = endMs
  }
  return secondsPerRow
}
