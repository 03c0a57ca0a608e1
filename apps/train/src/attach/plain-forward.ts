import type { InputDescription } from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { type OnnxEngine, type OnnxModel, type OnnxSession, writeOnnxModel } from '@sluice/onnx-graph'
import { inputBatches } from '../input-batches.ts'

const sampleRows = 512

/** Times a plain session of the network on samples of a dataset, reading and preprocessing included. */
export interface PlainForwardEstimate {
  /** Runs one sample. Take one before and one after what is compared: machines have slow spells. */
  sample(): Promise<void>
  /** Seconds for the whole dataset: the mean of the samples, scaled up. */
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
        secondsPerRow.push(await timeRows(dataset, input, batchSize, (feeds) => session.run(feeds)))
      } finally {
        await session.release()
      }
    },
    seconds: () => (secondsPerRow.reduce((sum, value) => sum + value, 0) / secondsPerRow.length) * dataset.size,
  }
}

async function timeRows(
  dataset: Dataset,
  input: InputDescription,
  batchSize: number,
  run: OnnxSession['run'],
): Promise<number> {
  let startMs: number | null = null
  let rows = 0
  const limit = Math.min(dataset.size, sampleRows)
  for await (const batch of inputBatches(select(dataset, { limit }), input, batchSize)) {
    const feeds = { [input.name]: batch.images }
    if (startMs === null) {
      // The engine plans its memory in the first run, which is not counted.
      await run(feeds)
      startMs = performance.now()
    }
    await run(feeds)
    rows += batch.rows
  }
  return (performance.now() - (startMs ?? 0)) / 1000 / rows
}
