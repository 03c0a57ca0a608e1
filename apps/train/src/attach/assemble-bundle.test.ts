import { createRandom } from '@sluice/core/reference'
import { createGraphBuilder, float, type OnnxModel, selectGateCuts, writeOnnxModel } from '@sluice/onnx-graph'
import type { FittedHead } from '@sluice/training'
import { describe, expect, it } from 'vitest'
import { createTestEngine } from '../../../../tooling/create-test-engine.ts'
import { runOnnx } from '../../../../tooling/run-onnx.ts'
import { assembleBundle, type CutHead } from './assemble-bundle.ts'
import { placeGates } from './choose-gates.ts'
import { describeInput } from './describe-input.ts'
import { createOnnxNetwork } from './onnx-network.ts'

const classCount = 3
const random = createRandom(21)
const draw = (length: number) => Float32Array.from({ length }, () => random() - 0.5)

/** Three convolutions of two channels over 1 x 4 x 4 images, and a dense layer. */
function createNetwork(): OnnxModel {
  const builder = createGraphBuilder({ name: 'net' })
  let map = builder.input('image', 'float32', ['batch', 1, 4, 4])
  for (const [layer, inputs] of [1, 2, 2].entries()) {
    const kernel = builder.initializer(`k${layer}`, {
      type: 'float32',
      dims: [2, inputs, 3, 3],
      data: draw(18 * inputs),
    })
    map = builder.node('Relu', [builder.node('Conv', [map, kernel], { pads: [1, 1, 1, 1] })], {}, `map${layer}`)
  }
  const weights = builder.initializer('dense', { type: 'float32', dims: [32, classCount], data: draw(32 * classCount) })
  builder.node('Gemm', [builder.node('Flatten', [map]), weights], { alpha: float(1) }, 'logits')
  builder.output('logits', 'float32', ['batch', classCount])
  return builder.buildModel()
}

/** A linear head on the average over the whole map: two features. */
function createFittedHead(): FittedHead {
  return {
    head: {
      pooling: { size: 1, kind: 'average' },
      layers: [
        { inputs: 2, outputs: classCount, activation: 'none', weights: draw(2 * classCount), bias: draw(classCount) },
      ],
    },
    parameters: 2 * classCount + classCount,
    weightNorms: [1, 2, 3],
    fitAccuracy: 0.5,
    heldOut: { rows: new Uint32Array(), scores: { data: new Float32Array(), rows: 0, classCount } },
    epochLosses: [],
  }
}

const model = createNetwork()
const network = createOnnxNetwork(model, createTestEngine())
const cuts = selectGateCuts(network.cuts)
const heads = placeGates(cuts, { kind: 'at', tensors: ['map1', 'map0'] }).map(
  (cut): CutHead => ({ cut, fitted: createFittedHead(), loss: 'hinge' }),
)

describe('placeGates', () => {
  it('puts named gates into the order of the network', () => {
    expect(heads.map(({ cut }) => cut.tensor)).toEqual(['map0', 'map1'])
  })

  it('spreads a number of gates, and refuses tensors that are no cut', () => {
    expect(placeGates(cuts, { kind: 'count', count: 2 })).toHaveLength(2)
    expect(() => placeGates(cuts, { kind: 'at', tensors: ['map0', 'elsewhere'] })).toThrow("no cut 'elsewhere'")
  })
})

describe('assembleBundle', async () => {
  const { manifest, files } = await assembleBundle({
    network,
    name: 'net',
    input: describeInput(network, {}),
    classes: ['a', 'b', 'c'],
    heads,
    policy: 'margin',
  })

  it('describes stages and gates that are off, and whose MACs add up to the network', () => {
    const backbone = manifest.stages.map(({ macs }) => macs.backbone)
    expect(backbone).toEqual([16 * 2 * 9, 16 * 4 * 9, 16 * 4 * 9 + 32 * classCount])
    expect(manifest.stages.map(({ macs }) => macs.head)).toEqual([6, 6, 0])
    expect(manifest.macs).toBe(backbone.reduce((sum, macs) => sum + macs, 0))
    expect(manifest.stages.map(({ input, output }) => [input, output])).toEqual([
      ['image', 'map0'],
      ['map0', 'map1'],
      ['map1', null],
    ])
    expect(manifest.gates.map(({ stage, head, policy }) => [stage, head.kind, head.loss, policy])).toEqual(
      [0, 1].map((stage) => [stage, 'linear', 'hinge', { name: 'margin', parameters: {}, threshold: null }]),
    )
    expect(Object.keys(files)).toEqual(manifest.stages.map(({ file }) => file))
  })

  it('writes stages that answer as the whole network does, and heads that answer as computed by hand', async () => {
    const rows = 3
    const image = { dims: [rows, 1, 4, 4], data: draw(rows * 16) }
    const { logits } = await runOnnx(writeOnnxModel(model), { image })
    let activation: { dims: readonly number[]; data: Float32Array } = image
    for (const [index, { file, input, output, scores }] of manifest.stages.entries()) {
      const results = await runOnnx(files[file] ?? new Uint8Array(), { [input]: activation })
      const answer = results[scores]?.data ?? new Float32Array()
      if (output === null) {
        expect([...answer]).toEqual([...(logits?.data ?? [])].map((value) => expect.closeTo(value, 5)))
        continue
      }
      activation = results[output] ?? image
      const [layer] = heads[index]?.fitted.head.layers ?? []
      const expected = Array.from({ length: rows * classCount }, (_, i) => {
        const [row, label] = [Math.floor(i / classCount), i % classCount]
        return [0, 1].reduce((sum, channel) => {
          const start = (row * 2 + channel) * 16
          const mean = activation.data.slice(start, start + 16).reduce((total, value) => total + value, 0) / 16
          return sum + mean * (layer?.weights[channel * classCount + label] ?? Number.NaN)
        }, layer?.bias[label] ?? Number.NaN)
      })
      expect([...answer]).toEqual(expected.map((value) => expect.closeTo(value, 5)))
    }
  })
})
