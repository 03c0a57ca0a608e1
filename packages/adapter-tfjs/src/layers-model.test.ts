import { InvalidArgumentError, type Tensor } from '@sluice/core'
import { createRandomBatch } from '@sluice/core/reference'
import { selectGateCuts } from '@sluice/onnx-graph'
import type { Tensor as DeviceTensor, SymbolicTensor } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { InvalidTfjsModelError, UnknownTfjsOperatorError, UnsupportedTfjsModelError } from './errors.ts'
import { openNodeTfjs } from './node.ts'
import { openTfjsNetwork } from './open-tfjs-network.ts'
import { expectClose } from './testing/expect-close.ts'
import { createMobileNet } from './testing/mobile-net.ts'
import { asModelFiles, saveLayersModel } from './testing/saved-model.ts'

const tf = await openNodeTfjs('wasm')
const model = createMobileNet(tf)
const saved = await saveLayersModel(tf, model)
const files = asModelFiles(saved)
const images = createRandomBatch(1, 3, [16, 16, 3]) as Tensor<'float32'>

/** The model's own answer to the images. */
async function predict(): Promise<Float32Array> {
  const output = tf.tidy(() => model.predict(tf.tensor(images.data, [3, 16, 16, 3])) as DeviceTensor)
  const scores = await output.data<'float32'>()
  output.dispose()
  return scores
}

describe('a layers model of MobileNet v1 as data', () => {
  test('is saved with one shard per layer with weights', () => {
    // A convolution and a normalisation in seven places, and the classifier.
    expect(Object.keys(saved.shards)).toHaveLength(15)
    expect(Object.keys(saved.shards)).toContain('conv_dw_0_bn-shard1of1')
  })

  test('has the inputs, outputs, parameters and MACs worked out by hand', async () => {
    const network = await openTfjsNetwork(tf, files)
    expect(network.format).toBe('tfjs-layers')
    expect(network.inputs).toEqual([{ name: 'input_1', shape: ['batch', 16, 16, 3] }])
    expect(network.outputs).toEqual([{ name: 'reshape_2', shape: ['batch', 5] }])
    const convolutions = 3 * 9 * 6 + (6 * 9 + 6 * 8) + (8 * 9 + 8 * 12) + (12 * 9 + 12 * 12) + (12 * 5 + 5)
    const normalisations = 4 * (6 + 6 + 8 + 8 + 12 + 12 + 12)
    expect(network.parameters).toBe(convolutions + normalisations)
    const stem = 64 * 3 * 9 * 6
    const first = 64 * (6 * 9 + 6 * 8)
    const second = 16 * (8 * 9 + 8 * 12)
    const third = 16 * (12 * 9 + 12 * 12)
    expect(network.macs).toBe(stem + first + second + third + 12 * 5)
    network.dispose()
  })

  test('is cut behind every activation, at the shapes and MACs worked out by hand', async () => {
    const network = await openTfjsNetwork(tf, files)
    const gates = selectGateCuts(network.cuts)
    expect(gates.map(({ tensor, shape, macs }) => [tensor, shape, macs])).toEqual([
      ['conv1_relu', [8, 8, 6], 10368],
      ['conv_dw_0_relu', [8, 8, 6], 10368 + 3456],
      ['conv_pw_0_relu', [8, 8, 8], 10368 + 3456 + 3072],
      ['conv_dw_1_relu', [4, 4, 8], 16896 + 1152],
      ['conv_pw_1_relu', [4, 4, 12], 16896 + 1152 + 1536],
      ['conv_dw_2_relu', [4, 4, 12], 19584 + 1728],
      ['conv_pw_2_relu', [4, 4, 12], 19584 + 1728 + 2304],
    ])
    for (const { macs, share } of gates) expect(share).toBeCloseTo(macs / network.macs, 12)
    expect(network.cuts.map(({ tensor }) => tensor)).toContain('global_average_pooling2d_1')
    network.dispose()
  })

  test('gives the scores of the whole model, whatever cuts it is run through', async () => {
    const network = await openTfjsNetwork(tf, files)
    const expected = await predict()
    const taps = network.cuts.map(({ tensor }) => ({ tensor, pooling: { size: 2, kind: 'average' } as const }))
    for (const chosen of [[], taps.slice(5, 6), taps.toReversed()]) {
      const { scores, features } = await network.run(images, chosen)
      expect([scores.rows, scores.classCount, features.size]).toEqual([3, 5, chosen.length])
      expectClose(scores.data, expected, { rtol: 1e-5, atol: 1e-6 })
    }
    expect((await network.run(images, taps)).features.get('conv_pw_2_relu')).toHaveLength(3 * 4 * 12)
    network.dispose()
  })

  test('leaves nothing on the device', async () => {
    const before = tf.memory().numTensors
    const network = await openTfjsNetwork(tf, files)
    const loaded = tf.memory().numTensors
    await network.run(images, [{ tensor: 'conv1_relu', pooling: { size: 4, kind: 'average+maximum' } }])
    expect(tf.memory().numTensors).toBe(loaded)
    network.dispose()
    network.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  test('gives back its files as they were', async () => {
    const network = await openTfjsNetwork(tf, files)
    expect(await network.files()).toEqual({ 'model.json': saved.json, ...saved.shards })
    network.dispose()
  })

  test('refuses taps that are no cuts or stand twice, and zero rows', async () => {
    const network = await openTfjsNetwork(tf, files)
    const tap = { tensor: 'conv1_relu', pooling: { size: 1, kind: 'average' } } as const
    await expect(network.run(images, [{ ...tap, tensor: 'elsewhere' }])).rejects.toThrow("'elsewhere' is no cut")
    await expect(network.run(images, [tap, tap])).rejects.toBeInstanceOf(InvalidArgumentError)
    const empty = { ...images, dims: [0, 16, 16, 3], data: new Float32Array() }
    await expect(network.run(empty, [])).rejects.toThrow('rows >= 1')
    network.dispose()
  })
})

describe('damaged files', () => {
  test('model.json cut off anywhere is a clear error', async () => {
    for (let length = 0; length < saved.json.length; length += 997) {
      const failure = openTfjsNetwork(tf, { ...files, json: saved.json.subarray(0, length) })
      await expect(failure).rejects.toBeInstanceOf(InvalidTfjsModelError)
    }
  })

  test('a shard that is too short or too long names the file and both lengths', async () => {
    const shard = 'conv_pw_0_bn-shard1of1'
    for (const length of [127, 129]) {
      const read = async (path: string) => (path === shard ? new Uint8Array(length) : await files.read(path))
      const failure = openTfjsNetwork(tf, { ...files, read })
      await expect(failure).rejects.toBeInstanceOf(InvalidTfjsModelError)
      await expect(failure).rejects.toThrow(`'${shard}' have ${length} bytes, model.json declares 128`)
    }
  })

  test.each([
    ['{}', "no field 'modelTopology'"],
    ['{"modelTopology":{}}', "no valid 'weightsManifest'"],
    ['{"modelTopology":{},"weightsManifest":[]}', 'a layers-model or a graph-model is needed'],
    ['{"modelTopology":{"class_name":"Nothing"},"weightsManifest":[]}', 'Loading the model failed'],
    ['{"modelTopology":{},"weightsManifest":[{"paths":["a"],"weights":[{"name":"w"}]}]}', "no valid 'weightsManifest'"],
  ])('%s is refused', async (text, message) => {
    await expect(openTfjsNetwork(tf, { ...files, json: new TextEncoder().encode(text) })).rejects.toThrow(message)
  })
})

/** Saves a functional model and opens it again. */
async function reopen(
  inputs: SymbolicTensor | SymbolicTensor[],
  outputs: SymbolicTensor | SymbolicTensor[],
  options = {},
) {
  const functional = tf.model({ inputs, outputs })
  return openTfjsNetwork(tf, asModelFiles(await saveLayersModel(tf, functional)), options)
}

describe('other layers models', () => {
  const { layers } = tf
  const apply = (
    layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown },
    x: SymbolicTensor | SymbolicTensor[],
  ) => layer.apply(x) as SymbolicTensor

  test('two inputs are refused', async () => {
    const [a, b] = [tf.input({ name: 'a', shape: [3] }), tf.input({ name: 'b', shape: [3] })]
    const failure = reopen([a, b], apply(layers.add(), [a, b]))
    await expect(failure).rejects.toBeInstanceOf(UnsupportedTfjsModelError)
    await expect(failure).rejects.toThrow("The model has 2 inputs ('a', 'b')")
  })

  test('of two outputs one must be chosen', async () => {
    const x = tf.input({ shape: [3] })
    const first = apply(layers.dense({ name: 'first', units: 2 }), x)
    const second = apply(layers.dense({ name: 'second', units: 4 }), first)
    await expect(reopen(x, [first, second])).rejects.toThrow(
      /has 2 outputs \('first', 'second'\)\. Export it with the one .* or pass openTfjsNetwork .* option output\.$/,
    )
    const network = await reopen(x, [first, second], { output: 'second' })
    expect(network.outputs).toEqual([{ name: 'second', shape: ['batch', 4] }])
    expect(network.cuts.map(({ tensor }) => tensor)).toEqual(['first'])
    network.dispose()
  })

  test('sizes left open must be given', async () => {
    const x = tf.input({ name: 'x', shape: [null, null, 3] })
    const pooled = layers.globalAveragePooling2d({})
    const output = apply(pooled, apply(layers.conv2d({ filters: 4, kernelSize: 3 }), x))
    await expect(reopen(x, output)).rejects.toThrow(
      /^Input 'x' leaves sizes open: \[\?, \?, \?, 3\]\. Export the model with a fixed size, .* option inputShape/,
    )
    await expect(reopen(x, output, { inputShape: [1, 6, 6, 1] })).rejects.toBeInstanceOf(InvalidArgumentError)
    const network = await reopen(x, output, { inputShape: [1, 6, 6, 3] })
    expect(network.macs).toBe(4 * 4 * 4 * 27)
    network.dispose()
  })

  test('a fixed batch size is refused', async () => {
    const x = tf.input({ name: 'x', batchShape: [1, 3] })
    await expect(reopen(x, apply(layers.dense({ units: 2 }), x))).rejects.toThrow(
      "'x' takes batches of 1 alone: [1, 3]",
    )
  })

  test('a residual block is cut around, and other convolutions are counted', async () => {
    const x = tf.input({ name: 'x', shape: [6, 6, 4] })
    const separable = apply(layers.separableConv2d({ name: 'sep', filters: 4, kernelSize: 3, padding: 'same' }), x)
    const sum = apply(layers.add({ name: 'sum' }), [separable, x])
    const transposed = apply(layers.conv2dTranspose({ name: 'up', filters: 2, kernelSize: 2, strides: 2 }), sum)
    const network = await reopen(
      x,
      apply(layers.dense({ name: 'd', units: 3 }), apply(layers.flatten({ name: 'f' }), transposed)),
    )
    expect(network.cuts.map(({ tensor, macs }) => [tensor, macs])).toEqual([
      ['sum', 36 * (36 + 16)],
      ['up', 36 * 52 + 144 * 8],
      ['f', 36 * 52 + 144 * 8],
    ])
    expect(network.macs).toBe(36 * 52 + 144 * 8 + 288 * 3)
    network.dispose()
  })

  test('a model used as a layer is opened, and a layer used twice is counted twice', async () => {
    const inner = tf.sequential({ name: 'features', layers: [layers.dense({ name: 'a', units: 4, inputShape: [4] })] })
    const x = tf.input({ name: 'x', shape: [4] })
    const twice = inner.apply(inner.apply(x)) as SymbolicTensor
    const network = await reopen(x, apply(layers.dense({ name: 'out', units: 2 }), twice))
    expect(network.cuts.map(({ tensor, macs }) => [tensor, macs])).toEqual([
      ['features/a', 16],
      ['features/a:1', 32],
    ])
    const tap = { tensor: 'features/a', pooling: { size: 1, kind: 'average' } } as const
    const { scores, features } = await network.run(createRandomBatch(2, 2, [4]), [tap])
    expect([scores.data.length, features.get('features/a')?.length]).toEqual([4, 8])
    network.dispose()
  })

  test('a layer that multiplies and has no cost rule is an error of costs alone', async () => {
    const x = tf.input({ shape: [5, 3] })
    const network = await reopen(x, apply(layers.lstm({ name: 'recurrent', units: 2 }), x))
    expect(() => network.macs).toThrow(UnknownTfjsOperatorError)
    expect(() => network.cuts).toThrow("Operator LSTM ('recurrent') has no cost rule")
    network.dispose()
  })

  test('masks are refused', async () => {
    const x = tf.input({ shape: [5, 3] })
    await expect(reopen(x, apply(layers.masking({ name: 'mask' }), x))).rejects.toThrow("Layer 'mask' masks time steps")
  })
})
