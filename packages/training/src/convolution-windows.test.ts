import type { Tensor } from '@sluice/core'
import { countElements } from '@sluice/core'
import type { HeadLayerShape } from '@sluice/onnx-graph'
import { describe, expect, it, test } from 'vitest'
import { convolveNaively } from '../../../tooling/convolve-naively.ts'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { indexPlaces, indexWindows } from './convolution-windows.ts'
import { drawDropoutFactors } from './dropout-factors.ts'
import type { FeatureMap } from './feature-store.ts'
import { planHeadLayers } from './head-layers.ts'
import { createCrossEntropyLoss } from './losses/cross-entropy.ts'
import { createRandom } from './random.ts'
import { buildTrainingGraph } from './training-graph.ts'

describe('the windows of a map', () => {
  test('of 3 rows and 4 columns are two by two, with the index 12 outside', () => {
    const windows = [
      [12, 12, 12, 12, 0, 1, 12, 4, 5],
      [12, 12, 12, 1, 2, 3, 5, 6, 7],
      [12, 4, 5, 12, 8, 9, 12, 12, 12],
      [5, 6, 7, 9, 10, 11, 12, 12, 12],
    ]
    expect(indexWindows({ height: 3, width: 4 })).toEqual(windows.flat())
  })

  test.each([
    [1, 1],
    [4, 4],
    [5, 2],
  ])('of %i rows and %i columns hold each position where its places say', (height, width) => {
    const windows = indexWindows({ height, width })
    const places = indexPlaces({ height, width })
    expect(places).toHaveLength(4 * height * width)
    const found = places.flatMap((place, index) => (place < windows.length ? [[Math.floor(index / 4), place]] : []))
    const due = windows.flatMap((position, place) => (position < height * width ? [[position, place]] : []))
    expect(found.sort()).toEqual(due.sort())
  })
})

const [batch, classCount] = [3, 3]

/** Mean loss of the batch, in double precision, from the definitions of the layers and of cross-entropy. */
function batchLoss(job: ReturnType<typeof createJob>, parameters: readonly number[][]): number {
  const { layers, map, width, features, labels, factors } = job
  const mapValues = map.outer * map.height * map.width * map.inner
  const raw = Array.from({ length: batch }, (_, row) => features.subarray(row * width, (row + 1) * width))
  let rows = raw.map((row) => readMap(row, map))
  let taken = 0
  for (const [index, { outputs, activation, convolution }] of layers.entries()) {
    const [weights = [], bias = []] = parameters.slice(taken, taken + 2)
    if (convolution !== undefined) {
      const convolved = rows.map((row) => convolveNaively(row, convolution, weights, new Array(outputs).fill(0)))
      rows = normaliseNaively(convolved, parameters[taken + 2] ?? [], bias)
    } else {
      if (layers[index - 1]?.convolution !== undefined)
        rows = rows.map((row, i) => [...row, ...tail(raw[i], mapValues)])
      const entering = rows.map((row, i) => row.map((value, k) => value * (factors[index]?.[i * row.length + k] ?? 1)))
      rows = entering.map((row) =>
        bias.map((b, j) => row.reduce((sum, x, i) => sum + x * (weights[i * outputs + j] as number), b)),
      )
    }
    if (activation === 'relu') rows = rows.map((row) => row.map((value) => Math.max(0, value)))
    taken += convolution === undefined ? 2 : 3
  }
  const losses = rows.map((row, i) => {
    return Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - (row[labels[i] as number] as number)
  })
  return losses.reduce((sum, loss) => sum + loss / batch, 0)
}

function tail(row: Float32Array | undefined, start: number): number[] {
  return [...(row ?? [])].slice(start)
}

/** Batch normalisation of maps `[position, channel]`, per channel over all rows and positions. */
function normaliseNaively(rows: readonly number[][], scale: readonly number[], shift: readonly number[]): number[][] {
  const channels = scale.length
  const moments = scale.map((_, channel) => {
    const values = rows.flatMap((row) => row.filter((_, index) => index % channels === channel))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length }
  })
  return rows.map((row) =>
    row.map((value, index) => {
      const channel = index % channels
      const { mean = 0, variance = 0 } = moments[channel] ?? {}
      return ((value - mean) / Math.sqrt(variance + 1e-5)) * (scale[channel] ?? 0) + (shift[channel] ?? 0)
    }),
  )
}

/** `[position, channel]` of a row's map. */
function readMap(row: Float32Array, { outer, height, width, inner }: FeatureMap): number[] {
  const positions = height * width
  return Array.from({ length: positions * outer * inner }, (_, index) => {
    const [position, channel] = [Math.floor(index / (outer * inner)), index % (outer * inner)]
    return row[(Math.floor(channel / inner) * positions + position) * inner + (channel % inner)] as number
  })
}

function createJob(map: FeatureMap, others: number, channels: readonly number[], dropout: number) {
  const random = createRandom(3, 0)
  const width = map.outer * map.height * map.width * map.inner + others
  const draw = (length: number) => Float32Array.from({ length }, () => random.normal())
  const layers: HeadLayerShape[] = planHeadLayers({ width, map }, classCount, { hidden: 5, channels })
  const rates = layers.map(({ convolution }, index) => (index > 0 && convolution === undefined ? dropout : 0))
  return {
    map,
    width,
    layers,
    rates,
    features: draw(batch * width),
    labels: Int32Array.from({ length: batch }, () => random.below(classCount)),
    factors: layers.map(({ inputs }, i) => (rates[i] ? drawDropoutFactors(batch * inputs, rates[i], random) : null)),
    parameters: layers.flatMap(({ inputs, outputs, convolution }) => [
      draw(inputs * outputs),
      draw(outputs),
      ...(convolution === undefined ? [] : [draw(outputs)]),
    ]),
  }
}

/** The gradients of all parameters by the graph: what Adam's sum of them is after one step from 0. */
async function runGraph(job: ReturnType<typeof createJob>) {
  const { layers, map, width, rates, factors, features, labels, parameters } = job
  const loss = createCrossEntropyLoss({ labelSmoothing: 0 })
  const graph = buildTrainingGraph({ layers, map, width, dropout: rates, loss })
  const isParameter = graph.carried.map(({ kind }) => kind !== 'state')
  const feeds: Record<string, Tensor> = {
    features: { type: 'float32', dims: [batch, width], data: features },
    input_factors: { type: 'float32', dims: [1, width], data: new Float32Array(width).fill(1) },
    input_shift: { type: 'float32', dims: [1, width], data: new Float32Array(width) },
    targets: { type: 'int32', dims: [batch], data: labels },
    row_weights: { type: 'float32', dims: [batch, 1], data: new Float32Array(batch).fill(1) },
    step_count: { type: 'int64', dims: [], data: BigInt64Array.of(1n) },
    order: { type: 'int32', dims: [1, batch], data: Int32Array.from({ length: batch }, (_, row) => row) },
    rates: { type: 'float32', dims: [1], data: Float32Array.of(0) },
  }
  let taken = 0
  for (const [index, { input, dims }] of graph.carried.entries()) {
    const data = isParameter[index] ? parameters[taken++] : undefined
    feeds[input] = { type: 'float32', dims, data: data ?? new Float32Array(countElements(dims)) }
  }
  for (const [layer, data] of factors.entries()) {
    if (data !== null) feeds[`dropout_${layer}`] = { type: 'float32', dims: [batch, data.length / batch], data }
  }
  const session = await createTestEngine().createSession(graph.model)
  const results = await session.run(feeds)
  await session.release()
  const sums = graph.carried.flatMap((_, index) => (isParameter[index] ? [graph.carried[index + 1]?.output ?? ''] : []))
  return {
    loss: results[graph.losses]?.data[0],
    gradients: sums.map((name) => results[name]?.data as Float32Array),
  }
}

const heads = [
  { name: 'one convolution, channels first', map: { outer: 3, height: 4, width: 4, inner: 1 }, channels: [4] },
  {
    name: 'two convolutions on an odd map, channels last, with further features and dropout',
    map: { outer: 2, height: 5, width: 6, inner: 2 },
    channels: [3, 4],
    others: 2,
    dropout: 0.3,
  },
  {
    name: 'three convolutions down to one pixel',
    map: { outer: 2, height: 5, width: 3, inner: 1 },
    channels: [3, 3, 2],
  },
]

it.each(heads)('the graph has the gradients of finite differences with $name', async (head) => {
  const job = createJob(head.map, head.others ?? 0, head.channels, head.dropout ?? 0)
  const parameters = job.parameters.map((values) => [...values])
  const { loss, gradients } = await runGraph(job)
  expect(loss).toBeCloseTo(batchLoss(job, parameters), 5)
  const width = 1e-6
  for (const [tensor, values] of parameters.entries()) {
    for (const [index, value] of values.entries()) {
      values[index] = value + width
      const above = batchLoss(job, parameters)
      values[index] = value - width
      const slope = (above - batchLoss(job, parameters)) / (2 * width)
      values[index] = value
      expect(gradients[tensor]?.[index], `tensor ${tensor}, value ${index}`).toBeCloseTo(slope, 4)
    }
  }
})
