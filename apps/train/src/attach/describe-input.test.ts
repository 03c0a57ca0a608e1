import { describe, expect, it } from 'vitest'
import { describeInput, type InputOptions } from './describe-input.ts'

const describeShape = (shape: readonly (number | string)[], options: InputOptions = {}) =>
  describeInput({ inputs: [{ name: 'image', shape }], layout: null }, options)

describe('describeInput', () => {
  it("normalises colour images with ImageNet's statistics unless told otherwise", () => {
    expect(describeShape(['batch', 3, 32, 24])).toEqual({
      name: 'image',
      dataType: 'float32',
      shape: [3, 32, 24],
      layout: 'NCHW',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      resize: null,
    })
    const given = { mean: [0, 0, 0], std: [1, 1, 1], resize: 40 }
    expect(describeShape(['batch', 3, 32, 24], given)).toMatchObject(given)
  })

  it('finds the layout by where the channels stand', () => {
    expect(describeShape(['n', 1, 28, 28])).toMatchObject({ layout: 'NCHW', mean: [], std: [] })
    expect(describeShape(['n', 28, 28, 3])).toMatchObject({ layout: 'NHWC', mean: [0.485, 0.456, 0.406] })
    expect(describeShape(['n', 28, 28, 7])).toMatchObject({ layout: 'none', mean: [], std: [] })
    expect(describeShape(['n', 12])).toMatchObject({ layout: 'none', shape: [12] })
  })

  it('takes the word of a network that knows its layout', () => {
    const network = { inputs: [{ name: 'image', shape: ['batch', 3, 28, 1] }], layout: 'NHWC' } as const
    expect(describeInput(network, {})).toMatchObject({ layout: 'NHWC', mean: [] })
  })

  it.each<[string, () => unknown, string]>([
    [
      'two inputs',
      () => describeInput({ inputs: [2, 3].map((n) => ({ name: 'x', shape: [n] })), layout: null }, {}),
      'has 2 inputs',
    ],
    ['no input', () => describeInput({ inputs: [], layout: null }, {}), 'has 0 inputs'],
    ['an open size', () => describeShape(['batch', 3, 'height', 32]), "leaves its size 'height' open"],
    ['a mean without std', () => describeShape(['batch', 3, 8, 8], { mean: [0, 0, 0] }), '--mean and --std together'],
    ['a std without mean', () => describeShape(['batch', 3, 8, 8], { std: [1, 1, 1] }), '--mean and --std together'],
    ['a size below the crop', () => describeShape(['batch', 3, 8, 9], { resize: 8 }), '--resize 8 is less than'],
    ['a size for what is no image', () => describeShape(['batch', 12], { resize: 8 }), '--resize is for images'],
  ])('refuses %s', (_, describeIt, message) => {
    expect(describeIt).toThrow(message)
  })
})
