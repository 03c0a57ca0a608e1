import type { Tensor } from '@sluice/core'
import { createRandomBatch } from '@sluice/core/reference'
import { analyzeModel, createGraphBuilder, findCuts, selectGateCuts } from '@sluice/onnx-graph'
import type { Tensor as DeviceTensor } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { InvalidTfjsModelError, TfjsError, UnknownTfjsOperatorError, UnsupportedTfjsModelError } from './errors.ts'
import { openNodeTfjs } from './node.ts'
import { openTfjsNetwork } from './open-tfjs-network.ts'
import { convolutionAttributes, createConvGraph } from './testing/conv-graph.ts'
import { expectClose } from './testing/expect-close.ts'
import { attribute, createGraphDef } from './testing/graph-def.ts'
import { asModelFiles, type SavedModel } from './testing/saved-model.ts'

const tf = await openNodeTfjs('cpu')
const saved = createConvGraph()
const files = asModelFiles(saved)
const images = createRandomBatch(1, 3, [8, 8, 3]) as Tensor<'float32'>

const open = (model: SavedModel, options = {}) => openTfjsNetwork(tf, asModelFiles(model), options)

/** The whole model's answer, by TensorFlow.js alone. */
async function predict(): Promise<Float32Array> {
  const { modelTopology, weightsManifest } = JSON.parse(new TextDecoder().decode(saved.json))
  const weightData = Object.values(saved.shards).map((shard) => new Uint8Array(shard).buffer)
  const weightSpecs = weightsManifest[0].weights
  const model = await tf.loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }))
  const output = tf.tidy(() => model.predict(tf.tensor(images.data, [3, 8, 8, 3])) as DeviceTensor)
  const scores = await output.data<'float32'>()
  output.dispose()
  model.dispose()
  return scores
}

describe('a graph model as data', () => {
  test('has the inputs, outputs, parameters and MACs worked out by hand, and several shards', async () => {
    const network = await open(saved)
    expect(Object.keys(saved.shards).length).toBeGreaterThan(2)
    expect(network.format).toBe('tfjs-graph')
    expect(network.inputs).toEqual([{ name: 'image', shape: ['batch', 8, 8, 3] }])
    expect(network.outputs).toEqual([{ name: 'logits', shape: ['batch', 4] }])
    expect(network.parameters).toBe(162 + 4 * 6 + 54 + (36 + 6) + (24 + 4))
    expect(network.macs).toBe(16 * 162 + 16 * 54 + 16 * 36 + 24)
    network.dispose()
  })

  test('is read from Buffers as from any other bytes', async () => {
    const shared = Buffer.concat([Buffer.alloc(1), ...Object.values(saved.shards)])
    let position = 1
    const views = Object.entries(saved.shards).map(([path, { length }]) => {
      position += length
      return [path, shared.subarray(position - length, position)] as const
    })
    const network = await open({ json: Buffer.from(saved.json), shards: Object.fromEntries(views) })
    const { scores } = await network.run(images, [])
    expectClose(scores.data, await predict(), { rtol: 1e-6, atol: 1e-6 })
    network.dispose()
  })

  test('is cut where everything passes, at the shapes and MACs worked out by hand', async () => {
    const network = await open(saved)
    expect(network.cuts.map(({ tensor, shape, macs }) => [tensor, shape, macs])).toEqual([
      ['conv', [4, 4, 6], 2592],
      ['bn', [4, 4, 6], 2592],
      ['stem', [4, 4, 6], 2592],
      ['sum', [4, 4, 6], 4032],
      ['mean', [6], 4032],
      ['product', [4], 4056],
    ])
    expect(selectGateCuts(network.cuts).map(({ tensor }) => tensor)).toEqual(['stem', 'sum'])
    network.dispose()
  })

  test('gives the scores of the whole model, whatever cuts it is run through', async () => {
    const network = await open(saved)
    const expected = await predict()
    const taps = network.cuts.map(({ tensor }) => ({ tensor, pooling: { size: 2, kind: 'average+maximum' } as const }))
    for (const chosen of [[], taps.slice(3, 4), taps.toReversed()]) {
      const { scores, features } = await network.run(images, chosen)
      expectClose(scores.data, expected, { rtol: 1e-5, atol: 1e-5 })
      expect(features.size).toBe(chosen.length)
    }
    network.dispose()
  })

  test('leaves nothing on the device', async () => {
    const before = tf.memory().numTensors
    const network = await open(saved)
    const loaded = tf.memory().numTensors
    await network.run(images, [{ tensor: 'sum', pooling: { size: 1, kind: 'average' } }])
    expect([network.cuts.length, tf.memory().numTensors]).toEqual([6, loaded])
    network.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  test('costs what the same network costs as ONNX, cut by cut', async () => {
    const network = await open(saved)
    const onnx = createOnnxTwin()
    expect(analyzeModel(onnx).macs).toBe(network.macs)
    const costs = (cuts: readonly { tensor: string; macs: number }[]) => {
      return cuts.filter(({ tensor }) => ['stem', 'sum'].includes(tensor)).map(({ tensor, macs }) => [tensor, macs])
    }
    expect(costs(network.cuts)).toEqual(costs(findCuts(onnx)))
    network.dispose()
  })

  test('with a shard cut off is a clear error that names its files', async () => {
    const read = async (path: string) => (await files.read(path)).subarray(0, 499)
    const failure = openTfjsNetwork(tf, { ...files, read })
    await expect(failure).rejects.toBeInstanceOf(InvalidTfjsModelError)
    await expect(failure).rejects.toThrow(/'group1-shard1of\d\.bin', .* model\.json declares \d+/)
  })
})

/** The network of {@link createConvGraph}, channels first; weights do not matter for costs. */
function createOnnxTwin() {
  const builder = createGraphBuilder({ name: 'twin' })
  const weights = (name: string, dims: number[]) => {
    const data = new Float32Array(dims.reduce((product, size) => product * size, 1))
    return builder.initializer(name, { type: 'float32', dims, data })
  }
  const image = builder.input('image', 'float32', ['batch', 3, 8, 8])
  const padded = { kernel_shape: [3, 3], auto_pad: 'SAME_UPPER' }
  const conv = builder.node('Conv', [image, weights('w0', [6, 3, 3, 3])], { ...padded, strides: [2, 2] })
  const stem = builder.node('Relu', [conv], {}, 'stem')
  const depthwise = builder.node('Conv', [stem, weights('w1', [6, 1, 3, 3])], { ...padded, group: 6 })
  const fused = builder.node('Relu', [builder.node('Conv', [depthwise, weights('w2', [6, 6, 1, 1])])])
  const sum = builder.node('Add', [fused, stem], {}, 'sum')
  const mean = builder.node('Flatten', [builder.node('GlobalAveragePool', [sum])])
  builder.node('Gemm', [mean, weights('w3', [6, 4]), weights('b3', [4])], {}, 'logits')
  builder.output('logits', 'float32', ['batch', 4])
  return builder.buildModel()
}

describe('other graph models', () => {
  test('two inputs are refused; an input that nothing reads is none', async () => {
    const graph = createGraphDef()
    graph.node('AddV2', 'sum', [graph.input('a', [3]), graph.input('b', [3])])
    const failure = open(graph.save())
    await expect(failure).rejects.toBeInstanceOf(UnsupportedTfjsModelError)
    await expect(failure).rejects.toThrow("The model has 2 inputs ('a', 'b')")
    const other = createGraphDef()
    other.input('unused', [3])
    other.node('Relu', 'out', [other.input('a', [3])])
    const network = await open(other.save(), { output: 'out' })
    expect(network.inputs).toEqual([{ name: 'a', shape: ['batch', 3] }])
    network.dispose()
  })

  test('an operator with two outputs is no cut where both are read', async () => {
    const graph = createGraphDef()
    const axis = graph.constant('axis', [], Int32Array.of(1))
    const first = graph.node('Relu', 'first', [graph.input('x', [4])])
    const split = graph.node('Split', 'split', [axis, first], { num_split: { i: '2' } })
    const joined = graph.node('AddV2', 'joined', [split, `${split}:1`])
    graph.node('Relu6', 'out', [joined])
    const network = await open(graph.save())
    expect(network.cuts.map(({ tensor }) => tensor)).toEqual(['first', 'joined'])
    const taps = network.cuts.map(({ tensor }) => ({ tensor, pooling: { size: 1, kind: 'average' } as const }))
    const batch = { type: 'float32', dims: [1, 4], data: Float32Array.of(1, 2, -3, 9) } as const
    const { scores, features } = await network.run(batch, taps)
    expect([features.get('joined'), scores.data]).toEqual([Float32Array.of(1, 11), Float32Array.of(1, 6)])
    network.dispose()
  })

  test('no cut lies where a later operator reads the shape of what came before', async () => {
    const graph = createGraphDef()
    const early = graph.node('Relu', 'early', [graph.input('x', [4])])
    const late = graph.node('Relu6', 'late', [graph.node('Neg', 'between', [early])])
    graph.node('Reshape', 'out', [late, graph.node('Shape', 'shape', [early])])
    const network = await open(graph.save())
    expect(network.cuts.map(({ tensor }) => tensor)).toEqual(['early'])
    network.dispose()
  })

  test('a transposed left operand is counted by its rows, and batches of matrices by all of them', async () => {
    const graph = createGraphDef()
    const x = graph.input('x', [5, 3])
    const square = graph.node('BatchMatMulV2', 'square', [x, x], {
      adj_x: attribute.bool(true),
      adj_y: attribute.bool(false),
    })
    graph.node('Relu', 'out', [square])
    const network = await open(graph.save())
    expect(network.macs).toBe(3 * 5 * 3)
    network.dispose()
  })

  test('an operator that multiplies and has no cost rule is an error of costs alone', async () => {
    const graph = createGraphDef()
    const weights = graph.constant('w', [3, 2], new Float32Array(6))
    graph.node('Einsum', 'product', [graph.input('x', [3]), weights], { equation: attribute.text('bi,io->bo') })
    const network = await open(graph.save())
    expect(() => network.macs).toThrow(UnknownTfjsOperatorError)
    expect(() => network.cuts).toThrow("Operator Einsum ('product') has no cost rule")
    network.dispose()
  })

  test('what TensorFlow.js cannot run is its error, and leaves nothing on the device', async () => {
    const before = tf.memory().numTensors
    const graph = createGraphDef()
    const weights = graph.constant('w', [3, 3, 5, 2], new Float32Array(90))
    graph.node('Conv2D', 'conv', [graph.input('x', [4, 4, 3]), weights], convolutionAttributes(1))
    await expect(open(graph.save())).rejects.toBeInstanceOf(TfjsError)
    await expect(open(graph.save())).rejects.toThrow("Computing 'conv' from 'x' failed in TensorFlow.js")
    expect(tf.memory().numTensors).toBe(before)
  })

  test('a constant first size is not taken for the batch', async () => {
    const graph = createGraphDef()
    const weights = graph.constant('w', [4, 8], new Float32Array(32).fill(1))
    const product = graph.node('MatMul', 'product', [graph.input('x', [4]), weights])
    const branches = [graph.node('Relu', 'positive', [product]), graph.node('Neg', 'negative', [product])]
    const pair = graph.node('Pack', 'pair', branches, { N: { i: '2' }, axis: { i: '0' } })
    graph.node('Sum', 'out', [pair, graph.constant('axis', [1], Int32Array.of(0))])
    const network = await open(graph.save())
    expect(network.cuts.map(({ tensor, shape }) => [tensor, shape])).toEqual([['product', [8]]])
    const tap = { tensor: 'pair', pooling: { size: 1, kind: 'average' } } as const
    await expect(network.run(createRandomBatch(1, 2, [4]), [tap])).rejects.toThrow("'pair' is no cut")
    network.dispose()
  })

  test('a product whose size is not that of the batch counts whole', async () => {
    const graph = createGraphDef()
    const x = graph.input('x', [4])
    const axis = graph.constant('axis', [1], Int32Array.of(0))
    const mean = graph.node('Mean', 'mean', [x, axis], { keep_dims: attribute.bool(true) })
    const weights = graph.constant('w', [4, 4], new Float32Array(16))
    graph.node('AddV2', 'out', [x, graph.node('MatMul', 'product', [mean, weights])])
    const network = await open(graph.save())
    expect(network.macs).toBe(16)
    network.dispose()
  })

  test('rows that stop to follow the batch are an error of the run, not wrong features', async () => {
    const graph = createGraphDef()
    const bound = (name: string, size: number) => graph.constant(name, [1], Int32Array.of(size))
    const bounds = [bound('begin', 0), bound('end', 2), bound('step', 1)]
    const first = graph.node('StridedSlice', 'first', [graph.input('x', [4]), ...bounds])
    graph.node('Relu', 'out', [first])
    const network = await open(graph.save())
    const tap = { tensor: 'first', pooling: { size: 1, kind: 'average' } } as const
    const before = tf.memory().numTensors
    const { features } = await network.run(createRandomBatch(1, 2, [4]), [tap])
    expect(features.get('first')).toHaveLength(8)
    for (const taps of [[tap], []]) {
      const failure = network.run(createRandomBatch(1, 3, [4]), taps)
      await expect(failure).rejects.toBeInstanceOf(UnsupportedTfjsModelError)
      await expect(failure).rejects.toThrow('gave 8 values for 3 rows of 4')
    }
    expect(tf.memory().numTensors).toBe(before)
    network.dispose()
  })

  test('rows that are no samples are refused', async () => {
    const graph = createGraphDef()
    const axes = graph.constant('axes', [1], Int32Array.of(0))
    graph.node('Mean', 'out', [graph.input('x', [4]), axes], { keep_dims: attribute.bool(true) })
    await expect(open(graph.save())).rejects.toThrow("The rows of 'out' are not samples")
  })
})
