import { Tensor } from 'onnxruntime-common'
import { expect, test } from 'vitest'
import { freeCopy } from './free-copy.ts'

const createTensor = (data: Float32Array) => new Tensor('float32', data, [data.length])

test('the copy of an output is freed, the output stays', () => {
  const [copy, output] = [new Float32Array(2 ** 16), new Float32Array(2 ** 16)]
  freeCopy(createTensor(copy), createTensor(output))
  expect([copy.length, output.length]).toEqual([0, 2 ** 16])
})

test('nothing is freed where the engine returned the output itself, or nothing', () => {
  const output = new Float32Array(2 ** 16)
  freeCopy(createTensor(output.subarray(0, 2 ** 15)), createTensor(output))
  freeCopy(undefined, createTensor(output))
  expect(output.length).toBe(2 ** 16)
})
