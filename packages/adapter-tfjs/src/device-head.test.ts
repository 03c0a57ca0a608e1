import type { PoolingDescription } from '@sluice/core'
import { createRandom } from '@sluice/core/reference'
import { countHeadInputs } from '@sluice/onnx-graph'
import { expect, test } from 'vitest'
import { convolveNaively } from '../../../tooling/convolve-naively.ts'
import { createDeviceHead } from './device-head.ts'
import { type HeadFileLayer, readHeadFile, writeHeadFile } from './head-file.ts'
import { openNodeTfjs } from './node.ts'
import { poolFeatures } from './pool-features.ts'
import { expectClose } from './testing/expect-close.ts'

const tf = await openNodeTfjs('wasm')
const random = createRandom(4)
const draw = (length: number) => Float32Array.from({ length }, () => 2 * random() - 1)

function createLayer(inputs: number, outputs: number, activation: HeadFileLayer['activation']): HeadFileLayer {
  return { inputs, outputs, activation, weights: draw(inputs * outputs), bias: draw(outputs) }
}

function applyDense(row: readonly number[], { outputs, weights, bias, activation }: HeadFileLayer): number[] {
  const sums = Array.from(bias, (b, j) => row.reduce((sum, x, i) => sum + x * (weights[i * outputs + j] ?? 0), b))
  return activation === 'relu' ? sums.map((sum) => Math.max(0, sum)) : sums
}

const [rows, channels, classes] = [3, 2, 3]
const maps = [
  { name: 'pooled, averages and maxima', size: 8, kind: 'average+maximum', parts: 2, pool: 4 },
  { name: 'taken whole', size: 5, kind: 'average+maximum', parts: 1, pool: 5 },
] as const

test.each(maps)('a head convolves the map ($name) and joins the scores of the gate in front', (map) => {
  const pooling: PoolingDescription = { size: map.pool, kind: map.kind }
  const [size, positions] = [map.pool, map.pool ** 2]
  const half = Math.ceil(size / 2)
  const width = channels * map.parts
  const layers: HeadFileLayer[] = [
    { ...createLayer(9 * width, 4, 'relu'), convolution: { height: size, width: size } },
    { ...createLayer(9 * 4, 3, 'relu'), convolution: { height: half, width: half } },
    createLayer(3 * Math.ceil(half / 2) ** 2 + classes, 5, 'relu'),
    createLayer(5, classes, 'none'),
  ]
  expect(countHeadInputs(layers)).toBe(positions * width + classes)
  const head = createDeviceHead(tf, readHeadFile(writeHeadFile({ layers })), pooling)
  const activation = tf.tensor4d(draw(rows * map.size ** 2 * channels), [rows, map.size, map.size, channels])
  const earlier = tf.tensor2d(draw(rows * classes), [rows, classes])
  const scores = head.computeScores(activation, earlier)

  const pooled = poolFeatures(tf, activation, pooling)
  const values = pooled.dataSync()
  const scoresInFront = earlier.dataSync()
  const expected = Array.from({ length: rows }, (_, row) => {
    let convolved = Array.from({ length: positions * width }, (_, index) => {
      const [position, channel] = [Math.floor(index / width), index % width]
      const part = Math.floor(channel / channels)
      const at = (part * positions + position) * channels + (channel % channels)
      return values[row * positions * width + at] ?? 0
    })
    for (const { convolution, weights, bias } of layers) {
      if (convolution) convolved = convolveNaively(convolved, convolution, weights, bias).map((x) => Math.max(0, x))
    }
    const joined = [...convolved, ...scoresInFront.subarray(row * classes, (row + 1) * classes)]
    return layers.slice(2).reduce(applyDense, joined)
  })
  expectClose(scores.dataSync(), Float32Array.from(expected.flat()), { rtol: 1e-4, atol: 1e-4 })
  tf.dispose([activation, earlier, scores, pooled])
  head.dispose()
  expect(tf.memory().numTensors).toBe(0)
})
