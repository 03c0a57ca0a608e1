import type { Tfjs } from '@sluice/adapter-tfjs'
import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import type * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import type { Window } from '../feature-shape.ts'
import { createNoise } from '../testing/warm-network.ts'
import { convolve, convolveDepthwise } from './convolve.ts'

type Convolution = typeof convolve

/** A weighted sum of a convolution's result, and its gradients in the maps and the filter. */
async function differentiateOn(backend: 'cpu' | 'wasm', sides: number[], outputs: number, window: Window) {
  const tf = await openNodeTfjs(backend)
  const convolution: Convolution = outputs === 0 ? convolveDepthwise : convolve
  return tf.tidy(() => {
    const maps = createNoise(tf, 2, [...sides, 3])
    const filter = createNoise(tf, window.size, [window.size, 3, Math.max(1, outputs)], 2)
    const loss = (x: tf.Tensor, f: tf.Tensor) => {
      const result = convolution(tf, x as tf.Tensor4D, f as tf.Tensor4D, window)
      const [rows = 0, ...rest] = result.shape
      return tf.sum(tf.mul(result, createNoise(tf, rows, rest, 3)))
    }
    const { value, grads } = tf.valueAndGrads(loss)([maps, filter])
    return [value, ...grads].map((tensor) => ({ shape: tensor.shape, data: tensor.dataSync<'float32'>() }))
  })
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  const scale = Math.max(1, ...Array.from(expected, Math.abs))
  const difference = Math.max(
    ...Array.from(expected, (value, index) => Math.abs(value - (actual[index] ?? Number.NaN))),
  )
  expect(difference).toBeLessThanOrEqual(tolerance * scale)
}

const windows = [1, 3, 7].flatMap((size) => [1, 2, 3].map((stride) => ({ size, stride, padding: (size - 1) / 2 })))
const sides = [
  [8, 8],
  [9, 7],
]

describe.each(sides)('on maps of %i x %i', (height, width) => {
  test.each(windows)('gradients of a convolution on wasm are those of the cpu backend: %j', async (window) => {
    const [expected, actual] = [
      await differentiateOn('cpu', [height, width], 4, window),
      await differentiateOn('wasm', [height, width], 4, window),
    ]
    for (const [index, { shape, data }] of expected.entries()) {
      expect(actual[index]?.shape).toEqual(shape)
      expectNear(actual[index]?.data ?? [], data, 1e-5)
    }
  })

  test.each(windows)(
    'gradients of a depthwise convolution on wasm are those of the cpu backend: %j',
    async (window) => {
      const [expected, actual] = [
        await differentiateOn('cpu', [height, width], 0, window),
        await differentiateOn('wasm', [height, width], 0, window),
      ]
      for (const [index, { shape, data }] of expected.entries()) {
        expect(actual[index]?.shape).toEqual(shape)
        expectNear(actual[index]?.data ?? [], data, 1e-5)
      }
    },
  )
})

test('a stride of two reads the pixels that PyTorch reads, on even maps too', async () => {
  for (const backend of ['cpu', 'wasm'] as const) {
    const tf: Tfjs = await openNodeTfjs(backend)
    const rows = tf.tidy(() => {
      const maps = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [1, 4, 4, 1])
      const filter = tf.ones<tf.Rank.R4>([3, 3, 1, 1])
      return [...convolve(tf, maps, filter, { size: 3, stride: 2, padding: 1 }).dataSync()]
    })
    expect(rows).toEqual([
      1 + 2 + 5 + 6,
      2 + 3 + 4 + 6 + 7 + 8,
      5 + 6 + 9 + 10 + 13 + 14,
      6 + 7 + 8 + 10 + 11 + 12 + 14 + 15 + 16,
    ])
  }
})
