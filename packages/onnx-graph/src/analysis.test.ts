import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgumentError } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { describeWithShared } from '../../../tooling/describe-with-shared.ts'
import { analyzeModel } from './analysis.ts'
import { UnknownOperatorError } from './errors.ts'
import { createGraphBuilder } from './graph-builder.ts'
import { readOnnxModel } from './onnx-model.ts'
import {
  createBertBase,
  createDenseNet121,
  createResNet110,
  createResNet152,
  createVgg16,
} from './testing/reference-networks.ts'

/** Published costs hold to 0.1 %. */
function expectGigaMacs(macs: number, published: number) {
  expect(Math.abs(macs / 1e9 / published - 1)).toBeLessThan(0.001)
}

const exported = [
  ['skeletons/resnet18.onnx', 1.814073, [3, 224, 224]],
  ['skeletons/resnet50.onnx', 4.089184, [3, 224, 224]],
  ['skeletons/resnet101.onnx', 7.801405, [3, 224, 224]],
  ['skeletons/densenet201.onnx', 4.291366, [3, 224, 224]],
  ['skeletons/mobilenet_v2.onnx', 0.300774, [3, 224, 224]],
  ['skeletons/vit_b_16.onnx', 17.563828, [3, 224, 224]],
  ['models/resnet56.onnx', 0.125486, [3, 32, 32]],
  ['models/resnet20.onnx', 0.040551, [3, 32, 32]],
  ['models/resnet20.dynamo.onnx', 0.040551, [3, 32, 32]],
] as const

describeWithShared('analysis of exported networks', (folder) => {
  test.each(exported)('%s costs %f GMACs a row of %j', (file, gigaMacs, rowShape) => {
    const { macs, inputs, outputs } = analyzeModel(readOnnxModel(readFileSync(join(folder, file))))
    expectGigaMacs(macs, gigaMacs)
    expect(inputs).toEqual([{ name: 'input', shape: ['batch', ...rowShape] }])
    expect(outputs).toEqual([{ name: 'logits', shape: ['batch', file.startsWith('models') ? 10 : 1000] }])
  })

  test('a larger image costs more, and the batch of the given shape does not count', () => {
    const model = readOnnxModel(readFileSync(join(folder, 'skeletons/resnet18.onnx')))
    const { macs, inputs } = analyzeModel(model, { inputShape: [7, 3, 448, 448] })
    expectGigaMacs(macs, 4 * (1.814073 - 0.000512) + 0.000512)
    expect(inputs).toEqual([{ name: 'input', shape: ['batch', 3, 448, 448] }])
  })

  test('both exporters of PyTorch give the same parameters', () => {
    const files = ['models/resnet20.onnx', 'models/resnet20.dynamo.onnx']
    const analyses = files.map((file) => analyzeModel(readOnnxModel(readFileSync(join(folder, file)))))
    expect(analyses.map(({ parameters }) => parameters)).toEqual([269034, 269034])
  })
})

const built = [
  ['VGG-16', createVgg16, 15.470264],
  ['ResNet-152', createResNet152, 11.513627],
  ['ResNet-110', createResNet110, 0.252888],
  ['DenseNet-121', createDenseNet121, 2.834162],
] as const

describe('analysis of networks built from their papers', () => {
  test.each(built)('%s costs what is published', (_, createNetwork, gigaMacs) => {
    expectGigaMacs(analyzeModel(createNetwork()).macs, gigaMacs)
  })

  test('VGG-16 has the 138 million parameters that its authors count', () => {
    expect(analyzeModel(createVgg16()).parameters).toBe(138_357_544)
  })

  test('BERT-base with 128 tokens, attention products included', () => {
    expectGigaMacs(analyzeModel(createBertBase(), { inputShape: [1, 128, 768] }).macs, 11.174216)
  })

  test('sizes that nobody gives are asked for', () => {
    const analyze = () => analyzeModel(createBertBase())
    expect(analyze).toThrow(InvalidArgumentError)
    expect(analyze).toThrow("dimension 1 ('tokens')")
  })

  test('an operator without a rule is named when costs are asked for', () => {
    const builder = createGraphBuilder({ name: 'unknown' })
    const frobbed = builder.node('Frobnicate', [builder.input('x', 'float32', ['batch', 2])])
    builder.output(builder.node('Relu', [frobbed]), 'float32', ['batch', 2])
    expect(() => analyzeModel(builder.buildModel())).toThrow(UnknownOperatorError)
    expect(() => analyzeModel(builder.buildModel())).toThrow("Frobnicate (node 'Frobnicate_0')")
  })

  test('sizes that grow with the batch are told by the name that the model gives the batch', () => {
    const builder = createGraphBuilder({ name: 'names' })
    const input = builder.input('x', 'float32', ['N', 3, 5])
    builder.output(builder.node('Relu', [input], {}, 'y'), 'float32', ['N', 3, 5])
    const { inputs, outputs, macs } = analyzeModel(builder.buildModel())
    expect({ inputs, outputs, macs }).toEqual({
      inputs: [{ name: 'x', shape: ['N', 3, 5] }],
      outputs: [{ name: 'y', shape: ['N', 3, 5] }],
      macs: 0,
    })
  })
})
