import { countElements, InvalidArgumentError } from '@sluice/core'
import { expect, test } from 'vitest'
import { runOnnx } from '../../../tooling/run-onnx.ts'
import { replaceGraphParts } from './edit-graph.ts'
import { yieldFirstValues } from './first-values.ts'
import { type OnnxModel, writeOnnxModel } from './onnx-model.ts'
import { seededValues } from './testing/seeded-values.ts'
import { createTestNetworks } from './testing/test-networks.ts'

test.each(createTestNetworks())('yields the first value of each row of $name', async ({ model, inputShape }) => {
  const dims = [3, ...inputShape]
  const inputs = { input: { dims, data: seededValues(countElements(dims), 1) } }
  const [whole] = Object.values(await runOnnx(writeOnnxModel(model), inputs))
  const outputs = Object.values(await runOnnx(writeOnnxModel(yieldFirstValues(model)), inputs))
  if (whole === undefined) throw new Error('The network has no output.')
  const rowLength = whole.data.length / 3
  expect(outputs).toHaveLength(1)
  expect(outputs[0]?.dims).toEqual([3, 1])
  expect(Array.from(outputs[0]?.data ?? [])).toEqual([0, 1, 2].map((row) => whole.data[row * rowLength]))
})

test('refuses a network without outputs', () => {
  const { model } = createTestNetworks()[0] as { model: OnnxModel }
  expect(() => yieldFirstValues(replaceGraphParts(model, { output: [] }))).toThrow(InvalidArgumentError)
})
