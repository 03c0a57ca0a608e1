import { expect, it } from 'vitest'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { createOnnxPlainNetworks } from './onnx-plain-networks.ts'
import { createFailingEngine } from './testing/failing-engine.ts'
import { createOnnxBundle } from './testing/onnx-bundle.ts'

it('loads the whole network, and it truncated behind each stage', async () => {
  const networks = createOnnxPlainNetworks(await createOnnxBundle(), createTestEngine())
  const images = { type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) } as const
  const whole = { data: Float32Array.of(4, 16, 36, 64), rows: 2, classCount: 2 }
  const full = await networks.loadFull()
  expect(await full.run(images)).toEqual(whole)
  const truncated = await networks.loadTruncated()
  const answers = []
  for (const network of truncated) answers.push(await network.run(images))
  expect(answers).toEqual([{ data: Float32Array.of(2, 6), rows: 2, classCount: 1 }, whole])
  for (const network of [full, ...truncated]) await network.release()
  await expect(full.run(images)).rejects.toThrow()
})

it('releases the sessions it has created when a later one cannot be', async () => {
  const { engine, seen } = createFailingEngine()
  await expect(createOnnxPlainNetworks(await createOnnxBundle(), engine).loadTruncated()).rejects.toThrow(
    'out of memory',
  )
  expect(seen).toEqual({ created: 1, released: 1 })
})
