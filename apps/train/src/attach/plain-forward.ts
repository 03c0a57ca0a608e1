import type { InputDescription } from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { type OnnxEngine, type OnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import { inputBatches } from '../input-batches.ts'

const sampleRows = 512

/**
 * Seconds that a plain session of the network needs for the whole dataset, reading and preprocessing included:
 * measured on a sample in this process and scaled up.
 */
export async function estimatePlainForward(
  engine: OnnxEngine,
  model: OnnxModel,
  dataset: Dataset,
  input: InputDescription,
  batchSize: number,
): Promise<number> {
  const session = await engine.createSession(writeOnnxModel(model))
  try {
    let startMs: number | null = null
    let rows = 0
    const limit = Math.min(dataset.size, sampleRows)
    for await (const batch of inputBatches(select(dataset, { limit }), input, batchSize)) {
      const run = () => session.run({ [input.name]: batch.images })
      if (startMs === null) {
        // The engine plans its memory in the first run, which is not counted.
        await run()
        startMs = performance.now()
      }
      await run()
      rows += batch.rows
    }
    return ((performance.now() - (startMs ?? 0)) / 1000 / rows) * dataset.size
  } finally {
    await session.release()
  }
}
