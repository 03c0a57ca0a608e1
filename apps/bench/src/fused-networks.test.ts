import { expect, it } from 'vitest'
import { loadFusedNetworks } from './fused-networks.ts'
import { createFailingEngine } from './testing/failing-engine.ts'
import { createOnnxBundle } from './testing/onnx-bundle.ts'

it('releases the first session when the second cannot be created', async () => {
  const { engine, seen } = createFailingEngine()
  await expect(loadFusedNetworks(await createOnnxBundle(), engine)).rejects.toThrow('out of memory')
  expect(seen).toEqual({ created: 1, released: 1 })
})
