import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { countElements, InvalidArgumentError } from '@sluice/core'
import { describe, expect, test } from 'vitest'
import { describeWithShared } from '../../../tooling/describe-with-shared.ts'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { findCutTensors } from './cuts.ts'
import type { NodeProto } from './generated/onnx_pb.ts'
import { joinStages } from './join.ts'
import { type OnnxModel, readOnnxModel, writeOnnxModel } from './onnx-model.ts'
import { splitIntoStages } from './split.ts'
import { expectClose } from './testing/expect-close.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks } from './testing/test-networks.ts'

const stagesOf = (model: OnnxModel) => splitIntoStages(model, findCutTensors(model)).map((stage) => stage.model)

/** Equal but for the place of constants, which move to the first stage that uses them. */
function expectSameNodes(actual: OnnxModel, expected: OnnxModel): void {
  const byOutput = (a: NodeProto, b: NodeProto) => (`${a.output}` < `${b.output}` ? -1 : 1)
  expect(actual.graph.node.toSorted(byOutput)).toEqual(expected.graph.node.toSorted(byOutput))
  expect(actual.graph.initializer).toHaveLength(expected.graph.initializer.length)
  expect(new Set(actual.graph.initializer)).toEqual(new Set(expected.graph.initializer))
}

describe('joinStages', () => {
  test('truncates the network when given its first stages', async () => {
    const [network] = createTestNetworks()
    if (network === undefined) throw new Error('There are no test networks.')
    const stages = splitIntoStages(network.model, findCutTensors(network.model).slice(1, 5))
    const dims = [2, ...network.inputShape]
    const input = { dims, data: seededValues(countElements(dims), 1) }
    const [first, second, third] = stages
    if (first?.output == null || second?.output == null || third === undefined) throw new Error('Stages are missing.')
    const truncated = await runOnnx(writeOnnxModel(joinStages([first.model, second.model])), { input })
    const activation = (await runOnnx(writeOnnxModel(first.model), { input }))[first.output]
    if (activation === undefined) throw new Error('The first stage yields no activation.')
    const expected = await runOnnx(writeOnnxModel(second.model), { [second.input]: activation })
    expect(Object.keys(truncated)).toEqual([second.output])
    expectClose(truncated[second.output], expected[second.output])
  })

  test('holds what several stages share once', () => {
    const network = createTestNetworks().find(({ name }) => name === 'shared weights')
    if (network === undefined) throw new Error('The test network is missing.')
    const joined = joinStages(stagesOf(network.model))
    expectSameNodes(joined, network.model)
  })

  test('refuses stages that do not follow each other', () => {
    const [network] = createTestNetworks()
    const stages = network === undefined ? [] : stagesOf(network.model)
    expect(() => joinStages(stages.toReversed())).toThrow(InvalidArgumentError)
    expect(() => joinStages([])).toThrow(/no stages/)
  })
})

describeWithShared('stages of networks as exporters write them', (folder) => {
  test.each(['resnet20.onnx', 'resnet20.dynamo.onnx', 'resnet56.onnx'])('%s joins to the very nodes it had', (file) => {
    const model = readOnnxModel(readFileSync(join(folder, 'models', file)))
    const joined = joinStages(stagesOf(model))
    expectSameNodes(joined, model)
  })
})
