import { describe, expect, test } from 'vitest'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { addFeatureTaps } from './feature-taps.ts'
import type { Attributes } from './graph-builder.ts'
import { type OnnxModel, writeOnnxModel } from './onnx-model.ts'
import { replaceSubsampling } from './subsampling.ts'
import { expectClose } from './testing/expect-close.ts'
import { createNetworkBuilder, type NetworkBuilder } from './testing/network-builder.ts'
import { seededValues } from './testing/seeded-values.ts'

/** Behind any last row, as exporters write "to the end". */
const end = 2 ** 62

/** `[start, end, axis, step]` */
type Range = readonly [number, number, number, number]

function slice(network: NetworkBuilder, map: string, ranges: readonly Range[], output?: string): string {
  const lists = [0, 1, 2, 3].map((field) => network.integers(ranges.map((range) => range[field] as number)))
  return network.node('Slice', [map, ...lists], {}, output)
}

/** What `append` makes of a convolution's map `[batch, channels, size, size]` is the network's output, `map`. */
function createNetwork(size: number, append: (network: NetworkBuilder, map: string) => void, channels = 16): OnnxModel {
  const network = createNetworkBuilder('network')
  const image = network.input('image', 'float32', ['batch', 3, size, size])
  append(network, network.relu(network.convolution(image, 3, channels)))
  network.output('map', 'float32', ['batch', 'channels', 'height', 'width'])
  return network.buildModel()
}

const operatorsOf = ({ graph }: OnnxModel) => graph.node.map(({ opType }) => opType)

const stridesOf = ({ graph }: OnnxModel) =>
  graph.node
    .filter(({ opType }) => opType === 'AveragePool')
    .map(({ attribute }) => attribute.find(({ name }) => name === 'strides')?.ints.map(Number))

async function expectSameMaps(model: OnnxModel, size: number): Promise<void> {
  const feeds = { image: { dims: [2, 3, size, size], data: seededValues(2 * 3 * size * size, 1) } }
  const expected = await runOnnx(writeOnnxModel(model), feeds)
  const actual = await runOnnx(writeOnnxModel(replaceSubsampling(model)), feeds)
  expect(Object.keys(actual)).toEqual(Object.keys(expected))
  for (const [name, map] of Object.entries(expected)) expectClose(actual[name], map)
}

test('a shortcut of two slices and a padding becomes one convolution that copies, and what only they read is gone', async () => {
  const model = createNetwork(8, (network, map) => {
    const rows = slice(network, map, [[0, end, 2, 2]])
    const columns = slice(network, rows, [[0, end, 3, 2]])
    const shortcut = network.node('Pad', [columns, network.integers([0, 8, 0, 0, 0, 8, 0, 0])])
    const attributes = { pads: [1, 1, 1, 1], strides: [2, 2] }
    const convolved = network.node('Conv', [map, network.weights([32, 16, 3, 3])], attributes)
    network.node('Relu', [network.add(convolved, shortcut)], {}, 'map')
  })
  const replaced = replaceSubsampling(model)
  expect(operatorsOf(replaced)).toEqual(['Conv', 'Relu', 'Conv', 'Conv', 'Add', 'Relu'])
  const read = replaced.graph.node.flatMap(({ input }) => input)
  expect(replaced.graph.initializer.filter(({ name }) => !read.includes(name))).toEqual([])
  await expectSameMaps(model, 8)
})

test.each<[string, number, readonly Range[], readonly [number, number]]>([
  ['the rows of an odd map', 7, [[0, end, 2, 2]], [2, 1]],
  ['axes counted from the back', 7, [[0, end, -1, 3]], [1, 3]],
  ['an end at the size', 8, [[0, 8, 3, 2]], [1, 2]],
  [
    'both axes',
    7,
    [
      [0, end, 2, 2],
      [0, end, 3, 4],
    ],
    [2, 4],
  ],
])('one slice becomes a pooling: %s', async (_, size, ranges, strides) => {
  const model = createNetwork(size, (network, map) => slice(network, map, ranges, 'map'))
  expect(operatorsOf(replaceSubsampling(model))).toEqual(['Conv', 'Relu', 'AveragePool'])
  expect(stridesOf(replaceSubsampling(model))).toEqual([strides])
  await expectSameMaps(model, size)
})

test('a map between two slices stays where somebody else reads it, too', async () => {
  const model = createNetwork(7, (network, map) => {
    const rows = slice(network, map, [[0, end, 2, 2]], 'rows')
    slice(network, rows, [[0, end, 3, 2]], 'map')
    network.output('rows', 'float32', ['batch', 16, 4, 7])
  })
  expect(stridesOf(replaceSubsampling(model))).toEqual([
    [2, 1],
    [2, 2],
  ])
  await expectSameMaps(model, 7)
  const { model: tapped } = addFeatureTaps(model, [{ tensor: 'rows', pooling: { kind: 'average', size: 1 } }])
  await expectSameMaps(tapped, 7)
})

test('an input that a convolution reads is subsampled by pooling, too, with exactly the same values', async () => {
  const network = createNetworkBuilder('stage')
  const input = network.input('input', 'float32', ['batch', 16, 7, 7])
  slice(
    network,
    input,
    [
      [0, end, 2, 2],
      [0, end, 3, 2],
    ],
    'map',
  )
  network.output('map', 'float32', ['batch', 16, 4, 4])
  network.classifier(network.convolution(input, 16, 16), 16)
  const model = network.buildModel()
  const pooled = replaceSubsampling(model)
  expect(operatorsOf(pooled)).toContain('AveragePool')
  const data = seededValues(2 * 16 * 49, 1)
  data.set([Number.NaN, 0, Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY])
  const feeds = { input: { dims: [2, 16, 7, 7], data } }
  expect((await runOnnx(writeOnnxModel(pooled), feeds)).map).toEqual((await runOnnx(writeOnnxModel(model), feeds)).map)
})

test('paddings and slices behind a padding start from what it yields', async () => {
  const model = createNetwork(8, (network, map) => {
    const padded = network.node('Pad', [map, network.integers([0, 8, 0, 0, 0, 8, 0, 0])])
    const rows = slice(network, padded, [[0, end, 2, 2]])
    network.node('Pad', [rows, network.integers([0, 16, 0, 0, 0, 0, 0, 0])], {}, 'map')
  })
  expect(operatorsOf(replaceSubsampling(model))).toEqual(['Conv', 'Relu', 'Conv', 'Conv'])
  await expectSameMaps(model, 8)
})

/** Pads a convolution's 16 channels by 8 in front and behind, with a number that is stored or, at null, left out. */
function padChannels(network: NetworkBuilder, map: string, filling: number | null, others: readonly string[] = []) {
  const numbers = filling === null ? [] : [Float32Array.of(filling)]
  const stored = numbers.map((data) => network.initializer('filling', { type: 'float32', dims: [], data }))
  network.node('Pad', [map, network.integers([0, 8, 0, 0, 0, 8, 0, 0]), ...stored, ...others], {}, 'map')
}

test.each([null, 0])('a padding alone becomes a convolution that copies: filled with %s', async (filling) => {
  const model = createNetwork(8, (network, map) => padChannels(network, map, filling))
  expect(operatorsOf(replaceSubsampling(model))).toEqual(['Conv', 'Relu', 'Conv'])
  await expectSameMaps(model, 8)
})

describe('the model stays the very same', () => {
  test.each<[string, readonly number[], Attributes]>([
    ['adds pixels, too', [0, 8, 1, 0, 0, 8, 0, 0], {}],
    ['takes channels away', [0, 32, 0, 0, 0, -16, 0, 0], {}],
    ['adds channels that fill no block', [0, 4, 0, 0, 0, 4, 0, 0], {}],
    ['adds so many channels that to copy them would take long', [0, 64, 0, 0, 0, 64, 0, 0], {}],
    ['repeats channels', [0, 8, 0, 0, 0, 8, 0, 0], { mode: 'edge' }],
  ])('where a padding %s', (_, pads, attributes) => {
    const model = createNetwork(8, (network, map) =>
      network.node('Pad', [map, network.integers(pads)], attributes, 'map'),
    )
    expect(replaceSubsampling(model)).toBe(model)
  })

  test('where a padding adds ones, or names axes', () => {
    const ones = createNetwork(8, (network, map) => padChannels(network, map, 1))
    expect(replaceSubsampling(ones)).toBe(ones)
    const axes = createNetwork(8, (network, map) => padChannels(network, map, 0, [network.integers([0, 1, 2, 3])]))
    expect(replaceSubsampling(axes)).toBe(axes)
  })

  test.each<[string, readonly Range[]]>([
    ['starts behind the first row', [[1, end, 2, 2]]],
    ['goes backwards', [[-1, -end, 2, -1]]],
    ['ends before the last row', [[0, 7, 2, 2]]],
    ['ends before the last column, its axis counted from the back', [[0, 7, -1, 2]]],
    [
      'goes backwards from the first column, to nothing',
      [
        [0, end, 2, 2],
        [0, end, 3, -1],
      ],
    ],
    ['takes all rows', [[0, end, 2, 1]]],
    [
      'subsamples channels',
      [
        [0, end, 2, 2],
        [0, end, 1, 2],
      ],
    ],
  ])('where a slice %s', (_, ranges) => {
    const model = createNetwork(8, (network, map) => slice(network, map, ranges, 'map'))
    expect(replaceSubsampling(model)).toBe(model)
  })

  test('where the channels are not blocked', () => {
    const model = createNetwork(8, (network, map) => slice(network, map, [[0, end, 2, 2]], 'map'), 12)
    expect(replaceSubsampling(model)).toBe(model)
  })

  test('where the rows are those of the batch, and their number is unknown', () => {
    const model = createNetwork(8, (network, map) => {
      const turned = network.node('Transpose', [map], { perm: [2, 1, 0, 3] })
      slice(network, network.convolution(turned, 16, 16), [[0, 8, 2, 2]], 'map')
    })
    expect(replaceSubsampling(model)).toBe(model)
  })

  test('where the step of a slice is no constant', () => {
    const model = createNetwork(8, (network, map) => {
      const ranges = [0, 8, 2].map((value) => network.integers([value]))
      const step = network.input('step', 'int64', [1])
      network.node('Slice', [map, ...ranges, step], {}, 'map')
    })
    expect(replaceSubsampling(model)).toBe(model)
  })

  test('where a slice keeps its range in attributes, as it did below operator set 10', () => {
    const model = createNetwork(8, (network, map) => {
      network.node('Slice', [map], { starts: [0], ends: [8], axes: [2] }, 'map')
    })
    expect(replaceSubsampling(model)).toBe(model)
  })
})
