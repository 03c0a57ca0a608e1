import { expect, test } from 'vitest'
import { createBufferPool } from './buffer-pool.ts'

test('an array that was given back is lent again, for any length of its size class', () => {
  const pool = createBufferPool()
  const first = pool.take(5)
  expect(first.length).toBe(5)
  pool.give(first)
  const second = pool.take(7)
  expect(second.length).toBe(7)
  expect(second.buffer).toBe(first.buffer)
})

test('arrays that are out at the same time never share memory', () => {
  const pool = createBufferPool()
  const arrays = [1, 2, 3, 4, 4, 5].map((length) => pool.take(length))
  expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBe(arrays.length)
})

test('the array given back last is lent first', () => {
  const pool = createBufferPool()
  const [first, second] = [pool.take(4), pool.take(4)]
  pool.give(first)
  pool.give(second)
  expect(pool.take(4).buffer).toBe(second.buffer)
})
