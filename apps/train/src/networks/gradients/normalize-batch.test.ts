import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import type * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { createNoise } from '../testing/warm-network.ts'
import { normalizeBatch } from './normalize-batch.ts'

const epsilon = 1e-5

test.each([
  ['cpu', 3, 4],
  ['wasm', 3, 4],
  ['wasm', 1, 1],
] as const)(
  'value and gradients are those of the definition, operation by operation: %s, maps of %i x %i',
  async (backend, height, width) => {
    const tf = await openNodeTfjs(backend)
    const define = (maps: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) => {
      const mean = tf.mean(maps, [0, 1, 2])
      const variance = tf.mean(tf.square(tf.sub(maps, mean)), [0, 1, 2])
      const standard = tf.mul(tf.sub(maps, mean), tf.rsqrt(tf.add(variance, epsilon)))
      return tf.add(tf.mul(standard, scale), offset)
    }
    const normalize = (maps: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) => {
      const parameters = { scale: scale as tf.Tensor1D, offset: offset as tf.Tensor1D, epsilon }
      return normalizeBatch(tf, maps as tf.Tensor4D, parameters).result
    }
    const differentiate = (operation: typeof define) =>
      tf.tidy(() => {
        const maps = tf.add(createNoise(tf, 5, [height, width, 2]), [3, -2])
        const inputs = [maps, tf.tensor1d([0.5, 2]), tf.tensor1d([1, -1])]
        const loss = (x: tf.Tensor, s: tf.Tensor, o: tf.Tensor) => {
          const result = operation(x, s, o)
          return tf.sum(tf.mul(result, tf.sin(result)))
        }
        const { value, grads } = tf.valueAndGrads(loss)(inputs)
        return [value, ...grads].flatMap((tensor) => [...tensor.dataSync()])
      })
    const [expected, actual] = [differentiate(define), differentiate(normalize)]
    expect(actual).toHaveLength(expected.length)
    for (const [index, value] of expected.entries()) expect(actual[index]).toBeCloseTo(value, 3)
  },
)
