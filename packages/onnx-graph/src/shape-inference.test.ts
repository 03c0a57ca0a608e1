import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithShared } from '../../../tooling/describe-with-shared.ts'
import { readOnnxModel } from './onnx-model.ts'
import { inferShapes } from './shape-inference.ts'

const models = [
  ['skeletons/resnet18.onnx', 1.814073],
  ['skeletons/resnet50.onnx', 4.089184],
  ['skeletons/resnet101.onnx', 7.801405],
  ['skeletons/densenet201.onnx', 4.291366],
  ['skeletons/mobilenet_v2.onnx', 0.300774],
  ['skeletons/vit_b_16.onnx', 17.563828],
  ['models/resnet56.onnx', 0.125486],
  ['models/resnet20.onnx', 0.040551],
  ['models/resnet20.dynamo.onnx', 0.040551],
] as const

describeWithShared('shape inference on exported networks', (folder) => {
  test.each(models)('%s costs %f GMACs a sample, and every shape is known', (file, gigaMacs) => {
    const model = readOnnxModel(readFileSync(join(folder, file)))
    const { nodeMacs, failures } = inferShapes(model, { batch: 1 })
    const macs = [...nodeMacs.values()].reduce((sum, value) => sum + value, 0)
    expect([...failures.values()]).toEqual([])
    expect(macs / 1e9).toBeCloseTo(gigaMacs, 5)
  })
})
