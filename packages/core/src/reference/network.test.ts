import { expect, it } from 'vitest'
import { applyHead, applyLayers, computeReferenceScores, type ReferenceNetwork } from './network.ts'

const network: ReferenceNetwork = {
  inputShape: [2],
  stages: [
    {
      layers: [
        {
          weights: [
            [1, -1],
            [2, 0.5],
          ],
          bias: [0, -1],
          activation: 'relu',
        },
      ],
      head: [{ weights: [[1, 1]], bias: [0.25], activation: 'none' }],
    },
    { layers: [{ weights: [[0.5, 1]], bias: [0], activation: 'tanh' }], head: null },
  ],
}

it('computes dense layers as worked out by hand', () => {
  const [layer] = network.stages[0]?.layers ?? []
  expect(layer && applyLayers([layer], Float32Array.of(3, 1))).toEqual(Float32Array.of(2, 5.5))
  expect(layer && applyLayers([layer], Float32Array.of(0, 1))).toEqual(Float32Array.of(0, 0))
})

it('gives a head in cascade the scores of the gate in front behind the output of its stage', () => {
  const [stage] = network.stages
  const head = [{ weights: [[1, 0, 2]], bias: [0], activation: 'none' as const }]
  const output = Float32Array.of(3, 4)
  expect(stage && applyHead({ ...stage, head, takesScores: true }, output, Float32Array.of(10))).toEqual(
    Float32Array.of(23),
  )
  expect(stage && applyHead(stage, output, Float32Array.of(10))).toEqual(Float32Array.of(7.25))
})

it('computes the scores of every stage, row by row', () => {
  const batch = { type: 'float32', dims: [2, 2], data: Float32Array.of(3, 1, 0, 1) } as const
  expect(computeReferenceScores(network, batch)).toEqual([
    { data: Float32Array.of(7.75, 0.25), rows: 2, classCount: 1 },
    { data: Float32Array.of(Math.tanh(6.5), 0), rows: 2, classCount: 1 },
  ])
})
