import { expect, it } from 'vitest'
import { inputBatches } from './input-batches.ts'
import { createMemoryDataset } from './testing/memory-dataset.ts'

it('lets an interruption in between the batches of data in memory', async () => {
  const dataset = createMemoryDataset(new Float32Array(20), [1, 1, 2], null, 0)
  const shape = { shape: [1, 1, 2], layout: 'NCHW' } as const
  const input = { ...shape, name: 'image', dataType: 'float32', mean: [], std: [], resize: null } as const
  const controller = new AbortController()
  setImmediate(() => controller.abort())
  let rowsSeen = 0
  for await (const { rows } of inputBatches(dataset, input, 1)) {
    if (controller.signal.aborted) break
    rowsSeen += rows
  }
  expect(rowsSeen).toBeLessThan(dataset.size)
})
