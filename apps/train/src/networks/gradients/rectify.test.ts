import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import type * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { rectify, rectifyToSix } from './rectify.ts'

test.each(['cpu', 'wasm'] as const)(
  'rectified values pass gradients between their bounds only: %s',
  async (backend) => {
    const tf = await openNodeTfjs(backend)
    const differentiate = (operation: typeof rectify) => {
      return tf.tidy(() => {
        const maps = tf.tensor4d([-1, 0, 1e-20, 0.5, 5.999, 6, 7, 1000], [1, 2, 2, 2])
        const loss = (x: tf.Tensor) => tf.sum(tf.mul(operation(tf, x as tf.Tensor4D), 3))
        const { value, grad } = tf.valueAndGrad(loss)(maps)
        return { sum: value.dataSync()[0], gradient: [...grad.dataSync()] }
      })
    }
    expect(differentiate(rectify).gradient).toEqual([0, 0, 3, 3, 3, 3, 3, 3])
    expect(differentiate(rectify).sum).toBeCloseTo(3 * 1019.499, 2)
    expect(differentiate(rectifyToSix).gradient).toEqual([0, 0, 3, 3, 3, 0, 0, 0])
    expect(differentiate(rectifyToSix).sum).toBeCloseTo(3 * 24.499, 3)
  },
)
