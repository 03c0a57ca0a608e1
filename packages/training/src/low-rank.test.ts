import type { HeadLayer } from '@sluice/onnx-graph'
import { describe, expect, it } from 'vitest'
import { factoriseLayer, savesWeights } from './low-rank.ts'
import { createRandom } from './random.ts'

const [inputs, outputs, rows] = [7, 5, 200]
const random = createRandom(3, 0)
const draw = (length: number) => Float32Array.from({ length }, () => random.normal())
const layer: HeadLayer = {
  inputs,
  outputs,
  activation: 'relu',
  weights: draw(inputs * outputs),
  bias: draw(outputs),
}
const features = Array.from({ length: rows }, () => Array.from(draw(inputs), (value, i) => value * (i + 1) + i))

/** `row * weights + bias`, in double precision, without the activation. */
function applyAffine(row: readonly number[], { outputs: width, weights, bias }: HeadLayer): number[] {
  return Array.from(bias, (b, j) => row.reduce((sum, value, i) => sum + value * (weights[i * width + j] as number), b))
}

const preActivations = features.map((row) => applyAffine(row, layer))
const mean = layer.bias.map((_, j) => preActivations.reduce((sum, row) => sum + (row[j] as number) / rows, 0))

/** Principal components by power iteration with deflation: unit vectors, largest variance first. */
function findComponents(count: number): number[][] {
  const centred = preActivations.map((row) => row.map((value, j) => value - (mean[j] as number)))
  const components: number[][] = []
  for (let k = 0; k < count; k++) {
    let vector = Array.from(draw(outputs))
    for (let iteration = 0; iteration < 2000; iteration++) {
      const next = new Array<number>(outputs).fill(0)
      for (const row of centred) {
        const part = dot(row, vector)
        for (const [j, value] of row.entries()) next[j] = (next[j] as number) + part * value
      }
      const free = components.reduce((rest, known) => subtract(rest, known, dot(rest, known)), next)
      vector = free.map((value) => value / Math.hypot(...free))
    }
    components.push(vector)
  }
  return components
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] as number), 0)
}

function subtract(a: readonly number[], b: readonly number[], factor: number): number[] {
  return a.map((value, index) => value - factor * (b[index] as number))
}

describe('factoriseLayer', () => {
  it.each([1, 2, 3])('equals the layer projected onto %i principal components', (rank) => {
    const components = findComponents(rank)
    const [down, up] = factoriseLayer(layer, Float32Array.from(preActivations.flat()), rank)
    for (const [index, row] of features.entries()) {
      const centred = preActivations[index]?.map((value, j) => value - (mean[j] as number)) ?? []
      const projected = components.reduce(
        (sum, component) => subtract(sum, component, -dot(centred, component)),
        Array.from(mean),
      )
      const actual = applyAffine(applyAffine(row, down), up)
      for (const [j, value] of projected.entries()) expect(actual[j]).toBeCloseTo(value, 3)
    }
  })

  it('equals the layer itself at full rank', () => {
    const [down, up] = factoriseLayer(layer, Float32Array.from(preActivations.flat()), outputs)
    for (const [index, row] of features.entries()) {
      for (const [j, value] of applyAffine(applyAffine(row, down), up).entries()) {
        expect(value).toBeCloseTo(preActivations[index]?.[j] as number, 3)
      }
    }
  })

  it('puts the activation after the second factor alone', () => {
    const [down, up] = factoriseLayer(layer, Float32Array.from(preActivations.flat()), 2)
    expect([down.activation, up.activation]).toEqual(['none', 'relu'])
    expect([down.inputs, down.outputs, up.inputs, up.outputs]).toEqual([inputs, 2, 2, outputs])
  })
})

it('two factors save weights up to the rank where they have as many as the layer', () => {
  const shape = { inputs: 12, outputs: 6, activation: 'relu' } as const
  expect([1, 3, 4, 6].map((rank) => savesWeights(shape, rank))).toEqual([true, true, false, false])
})
