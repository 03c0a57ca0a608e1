import { type OnnxEngine, readOnnxModel } from '@sluice/onnx-graph'
import { expect, it } from 'vitest'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { createOnnxPlainNetworks } from './onnx-plain-networks.ts'
import { createFailingEngine } from './testing/failing-engine.ts'
import { createOnnxBundle, createResidualBundle } from './testing/onnx-bundle.ts'

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

it('loads the whole network with layout hints, which answers as without', async () => {
  const operators: string[][] = []
  const testEngine = createTestEngine()
  const engine: OnnxEngine = {
    ...testEngine,
    createSession(model) {
      operators.push(readOnnxModel(model).graph.node.map(({ opType }) => opType))
      return testEngine.createSession(model)
    },
  }
  const networks = createOnnxPlainNetworks(await createResidualBundle(), engine, { hasLayoutHints: true })
  const loaded = [await networks.loadFull(), await networks.loadHinted?.()]
  expect(operators).toEqual([
    ['Conv', 'Add', 'Flatten'],
    ['AveragePool', 'Conv', 'Add', 'Flatten'],
  ])
  const data = Float32Array.from({ length: 3 * 16 * 4 }, (_, index) => Math.cos(index))
  const answers = await Promise.all(loaded.map((one) => one?.run({ type: 'float32', dims: [3, 16, 2, 2], data })))
  expect(answers[0]).toMatchObject({ rows: 3, classCount: 64 })
  expect(answers[1]).toMatchObject({ rows: 3, classCount: 64 })
  for (const [index, score] of answers[0]?.data.entries() ?? []) expect(answers[1]?.data[index]).toBeCloseTo(score, 5)
  for (const one of loaded) await one?.release()
})

it('has no hinted network where hints change nothing, and knows of none unless told that stages get them', async () => {
  const bundle = await createOnnxBundle()
  const networks = createOnnxPlainNetworks(bundle, createTestEngine(), { hasLayoutHints: true })
  expect(await networks.loadHinted?.()).toBeNull()
  expect(createOnnxPlainNetworks(bundle, createTestEngine())).not.toHaveProperty('loadHinted')
})

it('releases the sessions it has created when a later one cannot be', async () => {
  const { engine, seen } = createFailingEngine()
  await expect(createOnnxPlainNetworks(await createOnnxBundle(), engine).loadTruncated()).rejects.toThrow(
    'out of memory',
  )
  expect(seen).toEqual({ created: 1, released: 1 })
})
