import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ExternalDataError } from './errors.ts'
import { inlineExternalData } from './external-data.ts'
import { StringStringEntryProtoSchema, TensorProto_DataLocation } from './generated/onnx_pb.ts'
import type { ExternalDataReader, OnnxModel } from './onnx-model.ts'
import { convertTensorProtoToTensor } from './tensor-proto.ts'
import { createNetworkBuilder } from './testing/network-builder.ts'

/** A model with one weight in file `weights.bin`, and those weights' bytes. */
function createExternalModel(externalData: ExternalDataReader): OnnxModel {
  const network = createNetworkBuilder('external')
  network.node('Add', [network.input('input', 'float32', ['batch', 2]), network.weights([2])], {}, 'result')
  network.output('result', 'float32', ['batch', 2])
  const model = network.buildModel()
  const [weight] = model.graph.initializer
  if (weight === undefined) throw new Error('The model has no weight.')
  const entries = Object.entries({ location: 'weights.bin', offset: '4', length: '8' })
  weight.rawData = new Uint8Array(0)
  weight.dataLocation = TensorProto_DataLocation.EXTERNAL
  weight.externalData = entries.map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }))
  return { ...model, externalData }
}

test('weights kept in another file move into the model', () => {
  const file = new Uint8Array(Float32Array.of(0, 1.5, -2).buffer)
  const model = createExternalModel((_, offset, length = 0) => file.subarray(offset, offset + length))
  const [weight] = inlineExternalData(model).graph.initializer
  if (weight === undefined) throw new Error('The weight got lost.')
  expect(weight.dataLocation).toBe(TensorProto_DataLocation.DEFAULT)
  expect(convertTensorProtoToTensor(weight, null).data).toEqual(Float32Array.of(1.5, -2))
  expect(model.graph.initializer[0]?.dataLocation).toBe(TensorProto_DataLocation.EXTERNAL)
})

test('more weights than one file can hold are refused before they are all read', () => {
  const huge = Object.defineProperty(new Uint8Array(0), 'length', { value: 2 ** 31 })
  expect(() => inlineExternalData(createExternalModel(() => huge))).toThrow(ExternalDataError)
})
