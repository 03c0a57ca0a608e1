import { expect, test } from 'vitest'
import { createByteImageDataset } from './byte-image-dataset.ts'

const images = {
  name: 'two',
  classes: ['a', 'b'],
  sampleShape: [1, 1, 2],
  pixels: Uint8Array.from([0, 51, 102, 255]),
  labels: Int32Array.from([1, 0]),
}

test('bytes read as 0..1, rows in the order asked for', async () => {
  const batch = await createByteImageDataset(images).read([1, 0, 1])
  expect(batch.rows).toBe(3)
  expect(batch.images).toEqual(Float32Array.from([0.4, 1, 0, 0.2, 0.4, 1]))
  expect(Array.from(batch.labels ?? [])).toEqual([0, 1, 0])
})

test('a label outside the classes is refused with its sample', () => {
  const labels = Int32Array.from([0, 2])
  expect(() => createByteImageDataset({ ...images, labels })).toThrow(/two labels sample 1 with 2, outside 0\.\.1/)
})

test('pixels that do not fit the labels are refused', () => {
  expect(() => createByteImageDataset({ ...images, labels: Int32Array.of(0) })).toThrow(/4 pixel values for 1 labels/)
})
