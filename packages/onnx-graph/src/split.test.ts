import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { countElements, InvalidArgumentError } from '@sluice/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeWithShared } from '../../../tooling/describe-with-shared.ts'
import { type FloatTensor, runOnnx } from '../../../tooling/run-onnx.ts'
import { findCutTensors } from './cuts.ts'
import { UnsupportedGraphError } from './errors.ts'
import { OperatorSetIdProtoSchema, StringStringEntryProtoSchema } from './generated/onnx_pb.ts'
import { createGraphView } from './graph-view.ts'
import { declaredShape } from './input-shapes.ts'
import { joinStages } from './join.ts'
import { type OnnxModel, readOnnxModel, writeOnnxModel } from './onnx-model.ts'
import { type Stage, splitIntoStages } from './split.ts'
import { expectClose } from './testing/expect-close.ts'
import { createNetworkBuilder } from './testing/network-builder.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks } from './testing/test-networks.ts'

function createBatch(rows: number, rowShape: readonly number[]): FloatTensor {
  const dims = [rows, ...rowShape]
  return { dims, data: seededValues(countElements(dims), rows) }
}

async function runStages(stages: readonly Stage[], batch: FloatTensor) {
  let outputs: { readonly [name: string]: FloatTensor } = {}
  let activation: FloatTensor | undefined = batch
  for (const { model, input, output } of stages) {
    if (activation === undefined) throw new Error(`No stage yields '${input}'.`)
    outputs = await runOnnx(writeOnnxModel(model), { [input]: activation })
    activation = outputs[output ?? '']
  }
  return outputs
}

async function expectSameAnswers(model: OnnxModel, cuts: readonly string[], batch: FloatTensor): Promise<void> {
  const expected = await runOnnx(writeOnnxModel(model), { input: batch })
  const stages = splitIntoStages(model, cuts)
  const actual = await runStages(stages, batch)
  const joined = await runOnnx(writeOnnxModel(joinStages(stages.map((stage) => stage.model))), { input: batch })
  expect(Object.keys(actual)).toEqual(Object.keys(expected))
  for (const name of Object.keys(expected)) {
    expectClose(actual[name], expected[name])
    expectClose(joined[name], expected[name])
  }
}

async function checkRandomCuts(model: OnnxModel, rowShape: readonly number[], numRuns: number): Promise<void> {
  const cuts = fc.subarray(findCutTensors(model))
  const rows = fc.integer({ min: 1, max: 5 })
  const property = fc.asyncProperty(cuts, rows, async (chosen, count) => {
    await expectSameAnswers(model, chosen, createBatch(count, rowShape))
  })
  await fc.assert(property, { numRuns, seed: 7 })
}

describe.each(createTestNetworks())('a network of kind $name', ({ model, inputShape }) => {
  test('gives the same answers in stages and joined again, for any cuts and batch size', async () => {
    await checkRandomCuts(model, inputShape, 15)
  })

  test('gives the same answers cut at every place', async () => {
    await expectSameAnswers(model, findCutTensors(model), createBatch(3, inputShape))
  })
})

describeWithShared('networks as exporters write them', (folder) => {
  test.each(['resnet20.onnx', 'resnet20.dynamo.onnx', 'resnet56.onnx'])(
    '%s gives the same answers in stages',
    async (file) => {
      await checkRandomCuts(readOnnxModel(readFileSync(join(folder, 'models', file))), [3, 32, 32], 4)
    },
  )

  test.each(['vit_b_16.onnx', 'densenet201.onnx'])('%s splits at every cut with complete stages', (file) => {
    const model = readOnnxModel(readFileSync(join(folder, 'skeletons', file)))
    for (const stage of splitIntoStages(model, findCutTensors(model))) {
      expect(createGraphView(stage.model).inputs).toEqual([stage.input])
    }
  })
})

function createChain(batch: number | string = 'batch') {
  const network = createNetworkBuilder('chain')
  const hidden = network.relu(network.dense(network.input('input', 'float32', [batch, 6]), 6, 5))
  const unused = network.weights([3, 3])
  network.node('Abs', [unused])
  network.dense(hidden, 5, 4, 'logits')
  network.output('logits', 'float32', [batch, 4])
  return { model: network.buildModel(), hidden, unused }
}

describe('a stage', () => {
  test('holds the weights it uses and no others, sharing their memory', () => {
    const { model, hidden } = createChain()
    const stages = splitIntoStages(model, [hidden])
    const weights = stages.map((stage) => stage.model.graph.initializer.map(({ name }) => name))
    expect(weights).toEqual([
      ['w1', 'w2'],
      ['w4', 'w5'],
    ])
    expect(stages[0]?.model.graph.initializer[0]).toBe(model.graph.initializer[0])
  })

  test('declares its input and output with a symbolic batch', () => {
    const { model, hidden } = createChain()
    const [first, second] = splitIntoStages(model, [hidden])
    expect(first).toMatchObject({ input: 'input', output: hidden, outputShape: [5] })
    expect(second).toMatchObject({ input: hidden, output: null, outputShape: null })
    expect(second?.model.graph.input.map(declaredShape)).toEqual([['batch', 5]])
    expect(second?.model.graph.output.map(declaredShape)).toEqual([['batch', 4]])
  })

  test('keeps metadata, operator sets and unknown fields', () => {
    const { model, hidden } = createChain()
    model.proto.metadataProps.push(create(StringStringEntryProtoSchema, { key: 'author', value: 'somebody' }))
    const unknown = [{ no: 200, wireType: 0, data: Uint8Array.of(5) }]
    model.graph.$unknown = unknown
    for (const stage of splitIntoStages(model, [hidden])) {
      const copy = readOnnxModel(writeOnnxModel(stage.model))
      expect(copy.proto.metadataProps[0]?.value).toBe('somebody')
      expect(copy.opset).toBe(17)
      expect(copy.graph.$unknown).toEqual(unknown)
    }
  })

  test('takes any batch even where the model declares one row', async () => {
    const { model, hidden } = createChain(1)
    const [row, batch] = [createBatch(1, [6]), createBatch(4, [6])]
    const expected = await runOnnx(writeOnnxModel(model), { input: row })
    expectClose((await runStages(splitIntoStages(model, [hidden]), row)).logits, expected.logits)
    expect((await runStages(splitIntoStages(model, [hidden]), batch)).logits?.dims).toEqual([4, 4])
  })

  test('may lie behind an operator without a shape rule', async () => {
    const { model, hidden } = createChain()
    const relu = model.graph.node.find(({ output }) => output.includes(hidden))
    if (relu !== undefined) Object.assign(relu, { opType: 'Gelu', domain: 'com.microsoft' })
    model.proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }))
    expect(splitIntoStages(model, [hidden])[0]?.outputShape).toBeNull()
    await expectSameAnswers(model, [hidden], createBatch(3, [6]))
  })

  test('rebuilds shapes of tensors that lie in earlier stages', () => {
    const network = createTestNetworks().find(({ name }) => name === 'shape arithmetic across cuts')
    if (network === undefined) throw new Error('The test network is missing.')
    const [, second] = splitIntoStages(network.model, findCutTensors(network.model).slice(3, 4))
    const added = second?.model.graph.node.filter(({ name }) => name.startsWith('sluice:shapes/'))
    expect(added?.map(({ opType }) => opType)).toEqual(['Shape', 'Gather', 'Mul', 'Add', 'Mul', 'Add', 'Mul', 'Add'])
  })

  test('cannot need the shape of a tensor that is unknown', () => {
    const network = createNetworkBuilder('unknown shape')
    const early = network.node('Neg', [network.input('input', 'float32', ['batch', 6])])
    const shape = network.node('Shape', [early])
    const late = network.relu(network.relu(early))
    network.node('Reshape', [late, shape], {}, 'logits')
    network.output('logits', 'float32', ['batch', 6])
    const model = network.buildModel()
    Object.assign(model.graph.node[0] ?? {}, { opType: 'Gelu', domain: 'com.microsoft' })
    expect(() => splitIntoStages(model, [late])).toThrow(/cannot be inferred/)
  })
})

test('stages lead to the chosen outputs alone', async () => {
  const network = createTestNetworks().find(({ name }) => name === 'several outputs')
  if (network === undefined) throw new Error('The test network is missing.')
  const { model, inputShape } = network
  const outputs = ['logits']
  const batch = createBatch(2, inputShape)
  const stages = splitIntoStages(model, findCutTensors(model, { outputs }), { outputs })
  const actual = await runStages(stages, batch)
  expect(Object.keys(actual)).toEqual(outputs)
  expectClose(actual.logits, (await runOnnx(writeOnnxModel(model), { input: batch })).logits)
})

describe('splitIntoStages refuses', () => {
  test('a tensor that is no cut', () => {
    expect(() => splitIntoStages(createChain().model, ['w1'])).toThrow(InvalidArgumentError)
  })

  test('cuts out of order', () => {
    const { model } = createChain()
    const cuts = findCutTensors(model)
    expect(() => splitIntoStages(model, cuts.toReversed())).toThrow(/network order/)
  })

  test('a network that holds to one batch size', () => {
    const network = createNetworkBuilder('fixed batch')
    const flat = network.node('Reshape', [network.input('input', 'float32', [1, 2, 3]), network.integers([1, 6])])
    network.dense(network.relu(flat), 6, 4, 'logits')
    network.output('logits', 'float32', [1, 4])
    expect(() => splitIntoStages(network.buildModel(), [])).toThrow(UnsupportedGraphError)
  })
})
