import * as ort from 'onnxruntime-common'
import { expect, test } from 'vitest'
import { createHostStore } from './host-store.ts'

const floats = Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31)

function upload() {
  const store = createHostStore(ort, true)
  return { store, block: store.upload(floats, [4, 2]) }
}

test.each([
  ['one row', [2], [20, 21]],
  ['scattered rows', [0, 2], [0, 1, 20, 21]],
  ['runs of rows', [0, 1, 3], [0, 1, 10, 11, 30, 31]],
  ['rows in reverse', [3, 1], [30, 31, 10, 11]],
  ['a row twice', [1, 1], [10, 11, 10, 11]],
])('selects %s', async (_, rows, expected) => {
  const { store, block } = upload()
  const { tensor } = await store.select(block, Uint32Array.from(rows))
  expect(tensor.dims).toEqual([rows.length, 2])
  expect(Array.from(tensor.data as Float32Array)).toEqual(expected)
})

test('a range of rows is a view: nothing is copied', async () => {
  const { store, block } = upload()
  const source = block.tensor.data as Float32Array
  for (const rows of [
    [0, 1, 2, 3],
    [1, 2],
  ]) {
    const { tensor } = await store.select(block, Uint32Array.from(rows))
    expect((tensor.data as Float32Array).buffer).toBe(source.buffer)
  }
})

test('memory is lent again only after its last holder has let go', async () => {
  const store = createHostStore(ort, true)
  const reserve = () => store.reserve([4, 2]) ?? expect.unreachable()
  const bufferOf = ({ tensor }: { tensor: ort.Tensor }) => (tensor.data as Float32Array).buffer
  const block = reserve()
  const buffer = bufferOf(block)
  const view = await store.select(block, Uint32Array.of(1, 2))
  block.release()
  block.release()
  expect(bufferOf(reserve())).not.toBe(buffer)
  view.release()
  expect(bufferOf(reserve())).toBe(buffer)
})

test('a batch is not copied, and its memory never lent', () => {
  const { store, block } = upload()
  expect(block.tensor.data).toBe(floats)
  block.release()
  const reserved = store.reserve([4, 2]) ?? expect.unreachable()
  expect((reserved.tensor.data as Float32Array).buffer).not.toBe(floats.buffer)
})
