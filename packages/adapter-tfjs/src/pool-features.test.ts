import { InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import { createRandomBatch } from '@sluice/core/reference'
import { beforeAll, describe, expect, test } from 'vitest'
import { openNodeTfjs } from './node.ts'
import { countTfjsFeatures, poolFeatures } from './pool-features.ts'
import { expectClose } from './testing/expect-close.ts'
import type { Tfjs } from './tfjs.ts'

async function pool(tf: Tfjs, seed: number, rows: number, shape: readonly number[], pooling: PoolingDescription) {
  const { data } = createRandomBatch(seed, rows, shape)
  const before = tf.memory().numTensors
  const activation = tf.tensor(data as Float32Array, [rows, ...shape])
  const features = poolFeatures(tf, activation, pooling)
  const values = await features.data()
  expect(features.shape).toEqual([rows, countTfjsFeatures(shape, pooling)])
  tf.dispose([activation, features])
  expect(tf.memory().numTensors).toBe(before)
  return { data: data as Float32Array, values }
}

/** Adaptive windows of a map with channels last, written down from their definition. */
function poolMapNaively(map: Float32Array, [height = 0, width = 0, channels = 0]: readonly number[], size: number) {
  const [averages, maxima]: [number[], number[]] = [[], []]
  const [n, m] = [Math.min(size, height), Math.min(size, width)]
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      for (let c = 0; c < channels; c++) {
        const window: number[] = []
        for (let y = Math.floor((i * height) / n); y < Math.ceil(((i + 1) * height) / n); y++) {
          for (let x = Math.floor((j * width) / m); x < Math.ceil(((j + 1) * width) / m); x++) {
            window.push(map[(y * width + x) * channels + c] as number)
          }
        }
        averages.push(window.reduce((sum, value) => sum + value, 0) / window.length)
        maxima.push(Math.max(...window))
      }
    }
  }
  return { averages, maxima }
}

describe.each(['cpu', 'wasm'] as const)('pooling on %s', (backend) => {
  let tf: Tfjs
  beforeAll(async () => {
    tf = await openNodeTfjs(backend)
  })

  describe('maps', () => {
    test.each([
      [8, 8, 4],
      [7, 7, 4],
      [14, 14, 4],
      [7, 7, 2],
      [9, 5, 4],
      [6, 3, 4],
      [5, 5, 1],
    ])('%i x %i are pooled to at most %i windows an axis as by definition', async (height, width, size) => {
      const shape = [height, width, 3]
      const { data, values } = await pool(tf, 1, 2, shape, { size, kind: 'average+maximum' })
      const expected = [0, 1].flatMap((row) => {
        const { averages, maxima } = poolMapNaively(data.subarray((row * data.length) / 2), shape, size)
        return [...averages, ...maxima]
      })
      expectClose(values, expected, { rtol: 1e-5, atol: 1e-6 })
      const average = await pool(tf, 1, 1, shape, { size, kind: 'average' })
      expectClose(average.values, poolMapNaively(average.data, shape, size).averages, { rtol: 1e-5, atol: 1e-6 })
    })

    test('not larger than the windows are taken as they are, once', async () => {
      const { data, values } = await pool(tf, 2, 3, [4, 3, 2], { size: 4, kind: 'average+maximum' })
      expect(values).toEqual(data)
    })

    test('have no class token', () => {
      expect(() => countTfjsFeatures([4, 4, 2], { size: 1, kind: 'class-token' })).toThrow(InvalidArgumentError)
    })
  })

  test('tokens are averaged, and their maxima follow; the class token is the first', async () => {
    const { data, values } = await pool(tf, 3, 1, [5, 2], { size: 4, kind: 'average+maximum' })
    const columns = [0, 1].map((column) => Array.from(data).filter((_, i) => i % 2 === column))
    const mean = (column: number[]) => column.reduce((sum, value) => sum + value, 0) / 5
    expectClose(values, [...columns.map(mean), ...columns.map((column) => Math.max(...column))], {
      rtol: 1e-6,
      atol: 1e-7,
    })
    const first = await pool(tf, 3, 2, [5, 2], { size: 4, kind: 'class-token' })
    expect(Array.from(first.values)).toEqual([...first.data.subarray(0, 2), ...first.data.subarray(10, 12)])
  })

  test('vectors are features already', async () => {
    const { data, values } = await pool(tf, 4, 2, [6], { size: 4, kind: 'average+maximum' })
    expect(values).toEqual(data)
  })
})
