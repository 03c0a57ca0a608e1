import type { TfjsNetwork } from '@sluice/adapter-tfjs'
import { openTfjsNetwork } from '@sluice/adapter-tfjs'
import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { analyzeModel, findCuts, readOnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import { beforeAll, describe, expect, test } from 'vitest'
import { createTestEngine } from '../../../../../tooling/create-test-engine.ts'
import { WeightMismatchError } from '../errors.ts'
import { importOnnxWeights } from '../import/import-onnx-weights.ts'
import { smallNetworks } from '../testing/small-networks.ts'
import { createNoise, createWarmNetwork } from '../testing/warm-network.ts'
import { readParameterValues } from '../trainable-network.ts'
import { exportOnnx } from './export-onnx.ts'
import { exportTfjsLayers } from './export-tfjs-layers.ts'

/** A warm network's plan and values, and its logits for three images in both layouts. */
async function prepare(config: unknown) {
  const tf = await openNodeTfjs('wasm')
  const network = createWarmNetwork(tf, config)
  const { plan } = network
  const example = tf.tidy(() => {
    const images = createNoise(tf, 3, plan.input)
    const [logits] = network.forward(images, false, ['logits'])
    const channelsFirst = tf.transpose(images, [0, 3, 1, 2])
    const read = (tensor: typeof channelsFirst) => ({
      type: 'float32' as const,
      dims: tensor.shape,
      data: Float32Array.from(tensor.dataSync()),
    })
    return { images: read(images), channelsFirst: read(channelsFirst), logits: Array.from(logits?.dataSync() ?? []) }
  })
  const values = await readParameterValues(network)
  network.dispose()
  return { tf, plan, values, ...example }
}

function largestDifference(actual: ArrayLike<number> | undefined, expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length)
  return Math.max(...expected.map((value, index) => Math.abs(value - (actual?.[index] ?? Number.NaN))))
}

describe.each(Object.entries(smallNetworks))('%s', (_name, config) => {
  let prepared: Awaited<ReturnType<typeof prepare>>
  beforeAll(async () => {
    prepared = await prepare(config)
  })

  test('as ONNX gives the same logits, costs the same and has every block as a cut', async () => {
    const { plan, values, channelsFirst, logits } = prepared
    const bytes = writeOnnxModel(exportOnnx(plan, values))
    const session = await createTestEngine().createSession(bytes)
    const outputs = await session.run({ input: channelsFirst })
    await session.release()
    const scale = Math.max(1, ...logits.map(Math.abs))
    expect(largestDifference(outputs.logits?.data as Float32Array, logits)).toBeLessThan(1e-4 * scale)

    const model = readOnnxModel(bytes)
    const [height, width, channels] = plan.input
    expect(analyzeModel(model)).toMatchObject({
      macs: plan.macs,
      inputs: [{ name: 'input', shape: ['batch', channels, height, width] }],
      outputs: [{ name: 'logits', shape: ['batch', plan.classes] }],
    })
    const cuts = new Map(findCuts(model).map((cut) => [cut.tensor, cut]))
    for (const {
      name,
      macs,
      share,
      shape: [rows, columns, maps],
    } of plan.blocks) {
      expect(cuts.get(name)).toMatchObject({ macs, share, shape: [maps, rows, columns] })
    }
  })

  test('as ONNX is imported again without loss', async () => {
    const { plan, values } = prepared
    const imported = importOnnxWeights(plan, readOnnxModel(writeOnnxModel(exportOnnx(plan, values))))
    expect(new Map(imported)).toEqual(new Map(values))
  })

  test('as a layers model gives the same logits, costs the same and has every block as a cut', async () => {
    const { tf, plan, values, images, logits } = prepared
    const { json, shards } = exportTfjsLayers(plan, values)
    const read = async (path: string) => shards[path] ?? new Uint8Array()
    const model: TfjsNetwork = await openTfjsNetwork(tf, { json, read })
    const { scores } = await model.run(images, [])
    const scale = Math.max(1, ...logits.map(Math.abs))
    expect(largestDifference(scores.data, logits)).toBeLessThan(1e-5 * scale)
    expect(model.macs).toBe(plan.macs)
    const cuts = new Map(model.cuts.map((cut) => [cut.tensor, cut]))
    for (const { name, macs, shape } of plan.blocks) expect(cuts.get(name)).toMatchObject({ macs, shape })
    model.dispose()
  })
})

test('values that do not belong to the plan are refused', async () => {
  const { plan } = await prepare(smallNetworks['plain network'])
  expect(() => exportOnnx(plan, new Map())).toThrow(WeightMismatchError)
  expect(() => exportTfjsLayers(plan, new Map())).toThrow("'block1.conv.weight' of shape [3, 3, 2, 4] has no values")
})
