import type { Bundle } from '@sluice/core'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import { expect, it } from 'vitest'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { createOnnxPlainNetworks } from './onnx-plain-networks.ts'
import { createFailingEngine } from './testing/failing-engine.ts'

/** Two stages: `middle = input + input`, `scores = middle * middle`. */
async function createBundle(): Promise<Bundle> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [2], classCount: 2 })
  const { manifest } = await createReferenceBundle(network)
  const files = [
    ['Add', 'input', 'middle'],
    ['Mul', 'middle', 'scores'],
  ].map(([operator = '', input = '', output = '']) => {
    const builder = createGraphBuilder({ name: operator })
    builder.input(input, 'float32', ['batch', 2])
    builder.node(operator, [input, input], {}, output)
    builder.output(output, 'float32', ['batch', 2])
    return writeOnnxModel(builder.buildModel())
  })
  const stages = manifest.stages.map((stage, index) => ({ ...stage, file: String(index) }))
  return {
    manifest: { ...manifest, format: 'onnx', stages },
    read: async (path) => files[Number(path)] ?? new Uint8Array(),
  }
}

it('loads the whole network, and it truncated behind each stage', async () => {
  const networks = createOnnxPlainNetworks(await createBundle(), createTestEngine())
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
  await expect(createOnnxPlainNetworks(await createBundle(), engine).loadTruncated()).rejects.toThrow('out of memory')
  expect(seen).toEqual({ created: 1, released: 1 })
})
