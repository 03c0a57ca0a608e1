import { expect, it } from 'vitest'
import { freeMemory } from './free-memory.ts'

it('takes large memory from all its views, whatever part of it they see', () => {
  const buffer = new ArrayBuffer(2 ** 16)
  const [part, other] = [new Float32Array(buffer, 8, 2), new Uint8Array(buffer)]
  freeMemory(part)
  expect([part.length, other.length, buffer.byteLength]).toEqual([0, 0, 0])
  freeMemory(part)
})

it('leaves small and shared memory alone', () => {
  for (const array of [new Float32Array(2 ** 14 - 1), new Float32Array(new SharedArrayBuffer(2 ** 16))]) {
    const { length } = array
    freeMemory(array)
    expect(array).toHaveLength(length)
  }
})
