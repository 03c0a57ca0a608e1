import { InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { convolveNaively } from '../../../tooling/convolve-naively.ts'
import { type FloatTensor, runOnnx } from '../../../tooling/run-onnx.ts'
import { analyzeModel } from './analysis.ts'
import { findCuts } from './cuts.ts'
import { addHead, countHeadMacs, gateScoresName, scoresInputName } from './head-graph.ts'
import type { HeadLayer } from './head-layer.ts'
import { joinStages } from './join.ts'
import { writeOnnxModel } from './onnx-model.ts'
import { countPooledFeatures } from './pooling.ts'
import { type Stage, splitIntoStages } from './split.ts'
import { expectClose } from './testing/expect-close.ts'
import { poolNaively } from './testing/naive-pooling.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks } from './testing/test-networks.ts'

function createLayer(
  inputs: number,
  outputs: number,
  seed: number,
  activation: HeadLayer['activation'] = 'none',
): HeadLayer {
  const weights = seededValues(inputs * outputs, seed)
  return { inputs, outputs, activation, weights, bias: seededValues(outputs, seed + 1) }
}

/** `x * weights + bias` and the activation, for each row, in double precision. */
function applyLayer(rows: readonly (readonly number[])[], layer: HeadLayer): number[][] {
  const { inputs, outputs, activation, weights, bias } = layer
  return rows.map((row) => {
    return Array.from({ length: outputs }, (_, j) => {
      let sum = bias[j] as number
      for (let i = 0; i < inputs; i++) sum += (row[i] as number) * (weights[i * outputs + j] as number)
      return activation === 'relu' ? Math.max(0, sum) : sum
    })
  })
}

function applyHead(activation: FloatTensor, pooling: PoolingDescription, layers: readonly HeadLayer[]): FloatTensor {
  const rows = layers.reduce(applyLayer, poolNaively(activation, pooling))
  return { dims: [rows.length, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat()) }
}

/** The network cut in the middle. */
function splitInTheMiddle(name: string): {
  first: Stage
  stages: Stage[]
  shape: readonly number[]
  input: FloatTensor
} {
  const network = createTestNetworks().find((candidate) => candidate.name === name)
  if (network === undefined) throw new Error(`There is no test network '${name}'.`)
  const cuts = findCuts(network.model).filter(({ shape }) => shape.length > 1)
  const cut = cuts[cuts.length >> 1]
  const stages = cut === undefined ? [] : splitIntoStages(network.model, [cut.tensor])
  const [first] = stages
  if (cut === undefined || first === undefined) throw new Error('The test network has no cut.')
  const dims = [3, ...network.inputShape]
  const data = seededValues(
    dims.reduce((product, size) => product * size),
    5,
  )
  return { first, stages, shape: cut.shape, input: { dims, data } }
}

const cases = [
  ['a linear head on a map', 'residual', { size: 4, kind: 'average+maximum' }, []],
  ['a head with a hidden layer', 'residual', { size: 2, kind: 'average' }, [[7, 'relu']]],
  [
    'a head with a factorised hidden layer on all tokens',
    'transformer',
    { size: 1, kind: 'average+maximum' },
    [
      [3, 'none'],
      [6, 'relu'],
    ],
  ],
  ['a head on the class token', 'transformer', { size: 1, kind: 'class-token' }, []],
] as const

describe.each(cases)('%s', (_, name, pooling, hidden) => {
  test('gives the class scores of a naive product beside the unchanged activation', async () => {
    const { first, stages, shape, input } = splitInTheMiddle(name)
    const layers: HeadLayer[] = []
    for (const [width, activation] of [...hidden, [4, 'none'] as const]) {
      const inputs = layers.at(-1)?.outputs ?? countPooledFeatures(shape, pooling)
      layers.push(createLayer(inputs, width, 10 * layers.length + 1, activation))
    }
    const cut = first.output ?? ''
    const withHead = addHead(first.model, cut, { pooling, layers }, 2)
    const plain = await runOnnx(writeOnnxModel(first.model), { input })
    const actual = await runOnnx(writeOnnxModel(withHead), { input })
    const activation = plain[cut]
    if (activation === undefined) throw new Error('The stage yields no activation.')
    expect(Object.keys(actual)).toEqual([cut, gateScoresName(2)])
    expectClose(actual[cut], activation)
    expectClose(actual[gateScoresName(2)], applyHead(activation, pooling, layers))
    const joined = joinStages([withHead, ...stages.slice(1).map(({ model }) => model)])
    expect(writeOnnxModel(joined)).toEqual(writeOnnxModel(joinStages(stages.map(({ model }) => model))))
  })
})

test('a head in cascade takes the class scores of the gate in front behind the pooled features', async () => {
  const { first, shape, input } = splitInTheMiddle('residual')
  const pooling = { size: 2, kind: 'average' } as const
  const layers = [createLayer(countPooledFeatures(shape, pooling) + 4, 6, 1, 'relu'), createLayer(6, 4, 11)]
  const cut = first.output ?? ''
  const head = { pooling, layers, takesScores: true }
  const stage = addHead(first.model, cut, head, 3)
  const earlier = { dims: [3, 4], data: seededValues(12, 8) }
  expect(scoresInputName(head, 3)).toBe(gateScoresName(2))
  const results = await runOnnx(writeOnnxModel(stage), { input, [gateScoresName(2)]: earlier })
  const activation = results[cut]
  if (activation === undefined) throw new Error('The stage yields no activation.')
  const rows = poolNaively(activation, pooling).map((row, index) => [
    ...row,
    ...earlier.data.subarray(4 * index, 4 * index + 4),
  ])
  const expected = layers.reduce(applyLayer, rows)
  expectClose(results[gateScoresName(3)], { dims: [3, 4], data: Float32Array.from(expected.flat()) })
  expect(writeOnnxModel(joinStages([stage]))).toEqual(writeOnnxModel(joinStages([first.model])))
  expect(() => addHead(first.model, cut, head, 0)).toThrow('first gate')
  expect(() => addHead(first.model, cut, { pooling, layers }, 3)).toThrow(InvalidArgumentError)
})

describe('a head that convolves', () => {
  /** Two convolutions on the pooled map of 4 x 4 windows, then layers that also take the scores of the gate in front. */
  function createConvolutionalHead([channels = 0]: readonly number[], scores = 4) {
    const layers: HeadLayer[] = [
      { ...createLayer(9 * 2 * channels, 5, 1, 'relu'), convolution: { height: 4, width: 4 } },
      { ...createLayer(9 * 5, 3, 3, 'relu'), convolution: { height: 2, width: 2 } },
      createLayer(3 + scores, 6, 5, 'relu'),
      createLayer(6, 4, 7),
    ]
    return { pooling: { size: 4, kind: 'average+maximum' } as const, layers, takesScores: scores > 0 }
  }

  test('gives the class scores of naive convolutions on the pooled map, and those of the gate in front behind them', async () => {
    const { first, shape, input } = splitInTheMiddle('residual')
    const head = createConvolutionalHead(shape)
    const cut = first.output ?? ''
    const stage = addHead(first.model, cut, head, 1)
    const earlier = { dims: [3, 4], data: seededValues(12, 8) }
    const results = await runOnnx(writeOnnxModel(stage), { input, [gateScoresName(0)]: earlier })
    const pooled = poolNaively(results[cut] as FloatTensor, head.pooling)
    const rows = pooled.map((row, index) => {
      const channels = row.length / 16
      let map = row.map((_, i) => {
        const [position, channel] = [Math.floor(i / channels), i % channels]
        return row[channel * 16 + position] as number
      })
      for (const { convolution, weights, bias } of head.layers.slice(0, 2)) {
        if (convolution) map = convolveNaively(map, convolution, weights, bias).map((value) => Math.max(0, value))
      }
      return [...map, ...earlier.data.subarray(4 * index, 4 * index + 4)]
    })
    const expected = head.layers.slice(2).reduce(applyLayer, rows)
    expectClose(results[gateScoresName(1)], { dims: [3, 4], data: Float32Array.from(expected.flat()) })
  })

  test('costs the MACs that the analysis of its graph counts', () => {
    const { first, shape } = splitInTheMiddle('residual')
    const head = createConvolutionalHead(shape, 0)
    const { macs } = analyzeModel(addHead(first.model, first.output ?? '', head, 1))
    expect(countHeadMacs(head)).toBe(macs - analyzeModel(first.model).macs)
  })

  test('is refused where the map is of another size', () => {
    const { first, shape } = splitInTheMiddle('residual')
    const head = { ...createConvolutionalHead(shape), pooling: { size: 2, kind: 'average' } as const }
    expect(() => addHead(first.model, first.output ?? '', head, 1)).toThrow(/Layer 0 of the head declares/)
    const whole = createConvolutionalHead(shape)
    const [first2x8, ...others] = whole.layers
    const layers = [{ ...first2x8, convolution: { height: 2, width: 8 } } as HeadLayer, ...others]
    expect(() => addHead(first.model, first.output ?? '', { ...whole, layers }, 1)).toThrow(/a map of 2 x 8/)
  })
})

describe('a head', () => {
  test('adds names with the prefix sluice/ alone', () => {
    const { first, shape } = splitInTheMiddle('residual')
    const pooling = { size: 4, kind: 'average+maximum' } as const
    const layers = [createLayer(countPooledFeatures(shape, pooling), 4, 1)]
    const { graph } = addHead(first.model, first.output ?? '', { pooling, layers }, 0)
    const names = graph.node.slice(first.model.graph.node.length).flatMap(({ name, output }) => [name, ...output])
    expect(names.length).toBeGreaterThan(6)
    expect(names.filter((name) => !name.startsWith('sluice/gate_0/'))).toEqual([])
  })

  test('costs the MACs of its layers', () => {
    const last = createLayer(256, 10, 3)
    expect(countHeadMacs({ layers: [createLayer(512, 256, 1, 'relu'), last] })).toBe(512 * 256 + 2560)
    const factors = [createLayer(512, 64, 1), createLayer(64, 256, 2, 'relu')]
    expect(countHeadMacs({ layers: [...factors, last] })).toBe((512 + 256) * 64 + 2560)
  })

  test.each([
    ['no layers', []],
    ['a first layer of another width', [createLayer(3, 4, 1)]],
    ['too few weights', [{ ...createLayer(64, 4, 1), weights: new Float32Array(3) }]],
    ['an activation after the last layer', [createLayer(64, 4, 1, 'relu')]],
    ['layers that do not follow each other', [createLayer(64, 8, 1), createLayer(9, 4, 1)]],
  ])('is refused with %s', (_, layers) => {
    const { first } = splitInTheMiddle('residual')
    const head = { pooling: { size: 4, kind: 'average' } as const, layers }
    expect(() => addHead(first.model, first.output ?? '', head, 0)).toThrow(InvalidArgumentError)
  })

  test('is refused on a stage that does not yield the cut', () => {
    const { stages } = splitInTheMiddle('residual')
    const [first, last] = stages
    const head = { pooling: { size: 4, kind: 'average' } as const, layers: [createLayer(64, 4, 1)] }
    expect(() => addHead(last?.model ?? joinStages([]), first?.output ?? '', head, 0)).toThrow(/no output/)
  })
})
