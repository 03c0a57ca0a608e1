import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { cifar10Format, parseCifar } from '@sluice/datasets'
import { createGraphBuilder, type GraphBuilder, readOnnxModel } from '@sluice/onnx-graph'
import type { Tensor4D } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { createTestEngine } from '../../../../../tooling/create-test-engine.ts'
import { describeWithShared } from '../../../../../tooling/describe-with-shared.ts'
import { WeightMismatchError } from '../errors.ts'
import { exportOnnx } from '../export/export-onnx.ts'
import { parseNetworkConfig, planNetwork } from '../network-config.ts'
import { createInitialValues } from '../parameter-values.ts'
import { restoreBatchStatistics } from '../restore-batch-statistics.ts'
import { assignParameterValues, createTrainableNetwork } from '../trainable-network.ts'
import { importOnnxWeights } from './import-onnx-weights.ts'

const cifar = { classes: 10, input: [32, 32, 3] }

function planOf(config: object) {
  return planNetwork(parseNetworkConfig({ kind: 'resnet', ...cifar, ...config }))
}

describeWithShared('networks that PyTorch exported', (folder) => {
  const readModel = (file: string) => readFileSync(join(folder, 'models', file))
  const imported = (depth: number, file: string) => importOnnxWeights(planOf({ depth }), readOnnxModel(readModel(file)))

  /** CIFAR-10 test images as `[rows, 3, 32, 32]`, normalised as the networks were trained. */
  function readImages(rows: number) {
    const [mean, deviation] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ]
    const bytes = readFileSync(join(folder, 'data/cifar-10-batches-bin/test_batch.bin')).subarray(0, rows * 3073)
    const { pixels, labels } = parseCifar(cifar10Format, [{ name: 'test_batch.bin', bytes }])
    const data = Float32Array.from(pixels, (pixel, index) => {
      const channel = Math.floor(index / 1024) % 3
      return (pixel / 255 - (mean[channel] ?? 0)) / (deviation[channel] ?? 1)
    })
    return { images: { type: 'float32' as const, dims: [rows, 3, 32, 32], data }, labels }
  }

  test.each([
    [20, 'resnet20.onnx'],
    [20, 'resnet20.dynamo.onnx'],
    [56, 'resnet56.onnx'],
  ])('ResNet-%i from %s answers as in ONNX Runtime', async (depth, file) => {
    const tf = await openNodeTfjs('wasm')
    const { images } = readImages(16)
    const session = await createTestEngine().createSession(readModel(file))
    const expected = (await session.run({ input: images })).logits?.data as Float32Array
    await session.release()
    const network = createTrainableNetwork(tf, planOf({ depth }), 1)
    assignParameterValues(tf, network, imported(depth, file))
    const actual = tf.tidy(() => {
      const maps = tf.transpose(tf.tensor4d(images.data, [16, 3, 32, 32]), [0, 2, 3, 1])
      return network.forward(maps, false, ['logits'])[0]?.dataSync()
    })
    network.dispose()
    for (const [index, value] of expected.entries()) {
      expect(Math.abs((actual?.[index] ?? Number.NaN) - value)).toBeLessThan(1e-3)
    }
  })

  test('restored batch statistics leave the answers as they are and make training start from them', async () => {
    const tf = await openNodeTfjs('wasm')
    const { images, labels } = readImages(100)
    const network = createTrainableNetwork(tf, planOf({ depth: 20 }), 1)
    assignParameterValues(tf, network, imported(20, 'resnet20.onnx'))
    const maps = tf.tidy(() => tf.transpose(tf.tensor4d(images.data, [100, 3, 32, 32]), [0, 2, 3, 1]))
    const halves = tf.split<Tensor4D>(maps, 2)
    const run = (training: boolean) =>
      tf.tidy(() => {
        const [logits] = network.forward(maps, training, ['logits'])
        const classes = logits?.argMax(1).dataSync() ?? []
        const right = labels.reduce((sum, label, row) => sum + (classes[row] === label ? 1 : 0), 0)
        return { logits: Float32Array.from(logits?.dataSync() ?? []), accuracy: right / 100 }
      })
    const before = run(false)
    expect(before.accuracy).toBeGreaterThan(0.85)
    await restoreBatchStatistics(tf, network, halves)
    const after = run(false)
    for (const [index, value] of before.logits.entries()) expect(after.logits[index]).toBeCloseTo(value, 3)
    expect(run(true).accuracy).toBeGreaterThan(0.85)
    await expect(restoreBatchStatistics(tf, network, [])).rejects.toThrow('at least one batch')
    tf.dispose([maps, halves])
    network.dispose()
  })

  test.each([
    [{ depth: 56 }, "has strides [2, 2], but 'block4.conv1' needs [1, 1]"],
    [{ depth: 14 }, "but 'block3.conv1' needs [2, 2]"],
    [{ depth: 20, classes: 100 }, "'logits.weight' needs [100, 64]"],
    [{ depth: 20, width: 2 }, "'stem.conv.weight' needs [32, 3, 3, 3]"],
    [{ depth: 20, shortcut: 'projection' }, "'block4.shortcut.conv' needs [1, 1]"],
  ])('a plan %j that is not the file is refused with what does not fit', (config, message) => {
    const model = readOnnxModel(readModel('resnet20.onnx'))
    expect(() => importOnnxWeights(planOf(config), model)).toThrow(WeightMismatchError)
    expect(() => importOnnxWeights(planOf(config), model)).toThrow(message)
  })
})

describe('exported networks', () => {
  const small = { kind: 'mobilenet-v2', width: 0.5, classes: 5, input: [32, 32, 3] }
  const plain = { kind: 'plain', classes: 2, input: [8, 8, 3] }

  test.each<[string, object, object, string]>([
    ['a layer more', { ...plain, layers: [8, 8, 8] }, { ...plain, layers: [8, 8] }, "a weight 'block3."],
    ['other strides', { ...small, form: 'imagenet' }, { ...small, form: 'cifar' }, "but 'stem.conv' needs [1, 1]"],
  ])('a file with %s than the plan is refused although every name is there', (_what, file, config, message) => {
    const plan = planNetwork(parseNetworkConfig(config))
    const filePlan = planNetwork(parseNetworkConfig(file))
    const model = exportOnnx(filePlan, createInitialValues(filePlan, 1))
    expect(importOnnxWeights(filePlan, model).size).toBeGreaterThan(0)
    expect(() => importOnnxWeights(plan, model)).toThrow(WeightMismatchError)
    expect(() => importOnnxWeights(plan, model)).toThrow(message)
  })

  test('a file whose named weights stand in another order is refused', () => {
    const plan = planNetwork(parseNetworkConfig({ ...plain, input: [8, 8, 8], layers: [8, 8] }))
    const model = exportOnnx(plan, createInitialValues(plan, 1))
    const swapped = { 'block1.conv.weight': 'block2.conv.weight', 'block2.conv.weight': 'block1.conv.weight' }
    for (const node of model.graph.node) {
      node.input = node.input.map((name) => swapped[name as keyof typeof swapped] ?? name)
    }
    expect(() => importOnnxWeights(plan, model)).toThrow('reads from another part')
  })
})

describe('graphs with foreign names', () => {
  const plan = planNetwork(parseNetworkConfig({ kind: 'plain', layers: [2, 2, 2], classes: 2, input: [4, 4, 2] }))
  const window = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] }

  /** Three convolutions, of which the third reads `from(first, second)`. */
  function createGraph(from: (builder: GraphBuilder, first: string, second: string) => string, biases = 3) {
    const builder = createGraphBuilder({ name: 'foreign' })
    const weight = (name: string, ...dims: number[]) => {
      const count = dims.reduce((product, size) => product * size, 1)
      return builder.initializer(name, { type: 'float32', dims, data: new Float32Array(count).fill(0.1) })
    }
    const convolve = (input: string, index: number) => {
      const bias = index <= biases ? [weight(`b${index}`, 2)] : []
      return builder.node('Conv', [input, weight(`w${index}`, 2, 2, 3, 3), ...bias], window)
    }
    builder.input('input', 'float32', ['batch', 2, 4, 4])
    const first = convolve('input', 1)
    const second = convolve(first, 2)
    const third = convolve(from(builder, first, second), 3)
    const pooled = builder.node('Flatten', [builder.node('GlobalAveragePool', [third])])
    builder.node('Gemm', [pooled, weight('w4', 2, 2), weight('b4', 2)], { transB: 1 }, 'logits')
    builder.output('logits', 'float32', ['batch', 2])
    return builder.buildModel()
  }

  test('a chain is imported in graph order', () => {
    const values = importOnnxWeights(
      plan,
      createGraph((_builder, _first, second) => second),
    )
    expect(values.get('block3.norm.offset')).toEqual(new Float32Array(2).fill(0.1))
    expect(values.get('block3.norm.scale')).toEqual(new Float32Array(2).fill(1))
    expect(values.size).toBe(3 * 5 + 2)
  })

  test('a convolution of the right shape that reads from elsewhere is refused', () => {
    expect(() =>
      importOnnxWeights(
        plan,
        createGraph((_builder, first) => first),
      ),
    ).toThrow('reads from another part')
    const sum = createGraph((builder, first, second) => builder.node('Add', [first, second]))
    expect(() => importOnnxWeights(plan, sum)).toThrow('reads from another part')
  })

  test('a convolution without the bias that a folded normalisation leaves is refused', () => {
    const model = createGraph((_builder, _first, second) => second, 2)
    expect(() => importOnnxWeights(plan, model)).toThrow(WeightMismatchError)
  })
})
