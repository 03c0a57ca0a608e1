import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithShared } from '../../../tooling/describe-with-shared.ts'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { createGraphView } from './graph-view.ts'
import { addLayoutHints } from './layout-hints.ts'
import { type OnnxModel, readOnnxModel, writeOnnxModel } from './onnx-model.ts'
import { splitIntoStages } from './split.ts'
import { expectClose } from './testing/expect-close.ts'
import { createNetworkBuilder } from './testing/network-builder.ts'
import { seededValues } from './testing/seeded-values.ts'

/** One residual block whose shortcut starts at the input. */
function createBlock(channels: number): OnnxModel {
  const network = createNetworkBuilder('block')
  const input = network.input('input', 'float32', ['batch', channels, 8, 8])
  const inner = network.convolution(network.relu(network.convolution(input, channels, channels)), channels, channels)
  network.classifier(network.relu(network.add(input, inner)), channels)
  return network.buildModel()
}

const countHints = ({ graph }: OnnxModel) => graph.node.filter(({ name }) => name.startsWith('sluice:layout/')).length

/** Those of shape arithmetic aside. */
const countSubsampling = (model: OnnxModel) =>
  createGraphView(model).dataNodes.filter(({ opType }) => opType === 'Slice' || opType === 'Pad').length

test('a shortcut from the input is converted once, and read so by all', async () => {
  const model = createBlock(16)
  const hinted = addLayoutHints(model)
  expect(countHints(hinted)).toBe(1)
  expect(hinted.graph.node.filter(({ input }) => input.includes('input'))).toHaveLength(1)
  const feeds = { input: { dims: [3, 16, 8, 8], data: seededValues(3 * 16 * 64, 1) } }
  const expected = await runOnnx(writeOnnxModel(model), feeds)
  expectClose((await runOnnx(writeOnnxModel(hinted), feeds)).logits, expected.logits)
})

test('a model whose channels are not blocked stays the very same', () => {
  const model = createBlock(12)
  expect(addLayoutHints(model)).toBe(model)
})

describeWithShared('layout hints in ResNet-20', (folder) => {
  test.each(['resnet20.onnx', 'resnet20.dynamo.onnx'])(
    'stand at stage inputs, and no shortcut is sliced or padded any more: %s',
    async (file) => {
      const model = readOnnxModel(readFileSync(join(folder, 'models', file)))
      const { node } = model.graph
      const sums = node.filter(({ opType }) => opType === 'Add').flatMap(({ output }) => output)
      const blocks = node.filter(({ opType, input }) => opType === 'Relu' && sums.includes(input[0] ?? ''))
      const stages = splitIntoStages(model, blocks[4]?.output ?? [])
      expect(stages.map((stage) => countHints(addLayoutHints(stage.model)))).toEqual([0, 1])
      const hinted = addLayoutHints(model)
      expect([model, hinted].map(countSubsampling)).toEqual([6, 0])
      const feeds = { input: { dims: [2, 3, 32, 32], data: seededValues(2 * 3 * 1024, 1) } }
      const expected = await runOnnx(writeOnnxModel(model), feeds)
      expectClose((await runOnnx(writeOnnxModel(hinted), feeds)).logits, expected.logits)
    },
  )
})
