import { countElements, type Tensor } from '@sluice/core'
import type { HeadLayerShape } from '@sluice/onnx-graph'
import { expect, it } from 'vitest'
import { createTestEngine } from '../../../tooling/create-test-engine.ts'
import { scaleAdamRates } from './adam.ts'
import { drawDropoutFactors } from './dropout-factors.ts'
import { createCrossEntropyLoss } from './losses/cross-entropy.ts'
import { createRandom } from './random.ts'
import { buildTrainingGraph } from './training-graph.ts'

const [inputs, classCount, rows, batch, steps] = [3, 3, 8, 4, 3]
const random = createRandom(5, 0)
const draw = (length: number) => Float32Array.from({ length }, () => random.normal())

const features = draw(rows * inputs)
const mean = draw(inputs)
const scale = draw(inputs).map(Math.abs)
const labels = Int32Array.from({ length: rows }, () => random.below(classCount))
const rowWeights = draw(rows).map(Math.abs)
const order = Int32Array.from({ length: steps * batch }, () => random.below(rows))
const learningRates = Float32Array.of(0.1, 0.05, 0.2)

/** A head with its parameters as one flat list per tensor: weights and bias of each layer in turn. */
interface NaiveHead {
  readonly layers: readonly HeadLayerShape[]
  /** Factors of each layer's input values, `[batch, inputs]`, or null. */
  readonly factors: readonly (Float32Array | null)[]
}

/** Mean loss of one step's batch, in double precision, from the definitions of the layers and of cross-entropy. */
function batchLoss({ layers, factors }: NaiveHead, parameters: readonly number[][], step: number): number {
  let loss = 0
  let weightSum = 0
  for (let i = 0; i < batch; i++) {
    const row = order[step * batch + i] as number
    let values = Array.from(mean, (m, j) => ((features[row * inputs + j] as number) - m) * (scale[j] as number))
    for (const [layer, { activation, outputs }] of layers.entries()) {
      const kept = factors[layer]
      if (kept) values = values.map((value, j) => value * (kept[i * values.length + j] as number))
      const [weights = [], bias = []] = parameters.slice(2 * layer)
      values = bias.map((b, k) =>
        values.reduce((sum, value, j) => sum + value * (weights[j * outputs + k] as number), b),
      )
      if (activation === 'relu') values = values.map((value) => Math.max(0, value))
    }
    const total = values.reduce((sum, value) => sum + Math.exp(value), 0)
    const weight = rowWeights[row] as number
    loss -= weight * ((values[labels[row] as number] as number) - Math.log(total))
    weightSum += weight
  }
  return loss / weightSum
}

/** Adam as the paper's algorithm 1 writes it, on gradients by central differences. */
function trainNaively(head: NaiveHead, start: readonly Float32Array[]): number[][] {
  const parameters = start.map((values) => [...values])
  const moments = parameters.map((values) => values.map(() => [0, 0] as [number, number]))
  for (let step = 0; step < steps; step++) {
    const gradients = parameters.map((values) =>
      values.map((_, index) => slopeAt(head, parameters, step, values, index)),
    )
    for (const [tensor, values] of parameters.entries()) {
      for (const index of values.keys()) {
        const gradient = gradients[tensor]?.[index] as number
        const moment = moments[tensor]?.[index] as [number, number]
        moment[0] = 0.9 * moment[0] + 0.1 * gradient
        moment[1] = 0.99 * moment[1] + 0.01 * gradient ** 2
        const first = moment[0] / (1 - 0.9 ** (step + 1))
        const correction = 1 - 0.99 ** (step + 1)
        // The graph adds its epsilon to the root of the plain sum of squares, 100 times the moment.
        const size = Math.sqrt(moment[1] / correction) + 1e-7 * Math.sqrt(0.01 / correction)
        values[index] = (values[index] as number) - ((learningRates[step] as number) * first) / size
      }
    }
  }
  return parameters
}

function slopeAt(head: NaiveHead, parameters: number[][], step: number, values: number[], index: number): number {
  const width = 1e-6
  const value = values[index] as number
  const shifted = (by: number) => {
    values[index] = value + by
    return batchLoss(head, parameters, step)
  }
  const slope = (shifted(width) - shifted(-width)) / (2 * width)
  values[index] = value
  return slope
}

const linear: HeadLayerShape[] = [{ inputs, outputs: classCount, activation: 'none' }]
const mlp: HeadLayerShape[] = [
  { inputs, outputs: 4, activation: 'relu' },
  { inputs: 4, outputs: classCount, activation: 'none' },
]
const factorised: HeadLayerShape[] = [
  { inputs, outputs: 2, activation: 'none' },
  { inputs: 2, outputs: 4, activation: 'relu' },
  { inputs: 4, outputs: classCount, activation: 'none' },
]

const heads = [
  { name: 'a linear head', layers: linear, dropout: [0] },
  { name: 'a linear head with dropout at its input', layers: linear, dropout: [0.25] },
  { name: 'a head with a hidden layer', layers: mlp, dropout: [0, 0] },
  { name: 'a head with dropout at both layers', layers: mlp, dropout: [0.25, 0.5] },
  { name: 'a head with a factorised hidden layer', layers: factorised, dropout: [0.25, 0, 0.5] },
  { name: 'a head with dropout between the factors', layers: factorised, dropout: [0, 0.5, 0] },
]

it.each(heads)(
  'the graph takes the steps of a naive Adam on finite differences for $name',
  async ({ layers, dropout }) => {
    const graph = buildTrainingGraph({
      layers,
      width: inputs,
      dropout,
      loss: createCrossEntropyLoss({ labelSmoothing: 0 }),
    })
    const factors = layers.map(({ inputs }, layer) => {
      const rate = dropout[layer] ?? 0
      return rate === 0 ? null : drawDropoutFactors(batch * inputs, rate, random)
    })
    const inputRows = factors[0] === null ? 1 : batch
    const inputFactors = Float32Array.from({ length: inputRows * inputs }, (_, index) => {
      return (factors[0]?.[index] ?? 1) * (scale[index % inputs] as number)
    })
    const start = graph.carried.map(({ kind, dims }) => {
      return kind === 'state' ? new Float32Array(countElements(dims)) : draw(countElements(dims))
    })
    const feeds: Record<string, Tensor> = {
      features: { type: 'float32', dims: [rows, inputs], data: features },
      input_factors: { type: 'float32', dims: [inputRows, inputs], data: inputFactors },
      input_shift: {
        type: 'float32',
        dims: [inputRows, inputs],
        data: inputFactors.map((factor, index) => factor * (mean[index % inputs] as number)),
      },
      targets: { type: 'int32', dims: [rows], data: labels },
      row_weights: { type: 'float32', dims: [rows, 1], data: rowWeights },
      step_count: { type: 'int64', dims: [], data: BigInt64Array.of(BigInt(steps)) },
      order: { type: 'int32', dims: [steps, batch], data: order },
      rates: { type: 'float32', dims: [steps], data: scaleAdamRates(learningRates) },
    }
    for (const [index, { input, dims }] of graph.carried.entries()) {
      feeds[input] = { type: 'float32', dims, data: start[index] as Float32Array }
    }
    for (const [layer, data] of factors.entries()) {
      if (layer > 0 && data !== null) {
        feeds[`dropout_${layer}`] = { type: 'float32', dims: [batch, data.length / batch], data }
      }
    }
    const session = await createTestEngine().createSession(graph.model)
    const results = await session.run(feeds)
    await session.release()

    const naive: NaiveHead = { layers, factors }
    const isParameter = graph.carried.map(({ kind }) => kind !== 'state')
    const expected = trainNaively(
      naive,
      start.filter((_, index) => isParameter[index]),
    )
    const actual = graph.carried.filter((_, index) => isParameter[index]).map(({ output }) => results[output]?.data)
    for (const [tensor, values] of expected.entries()) {
      for (const [index, value] of values.entries()) expect(actual[tensor]?.[index]).toBeCloseTo(value, 3)
    }
    const losses = results[graph.losses]?.data as Float32Array
    const first = start.filter((_, index) => isParameter[index]).map((values) => [...values])
    expect(losses).toHaveLength(steps)
    expect(losses[0]).toBeCloseTo(batchLoss(naive, first, 0), 5)
  },
)
