import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from '@sluice/core'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DatasetError } from '../errors.ts'
import { openDataset } from './open-dataset.ts'
import { readImage } from './read-image.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-image-'))
})

afterEach(() => rm(folder, { recursive: true }))

/** A JPEG of 12 x 9 pixels, all different. */
function jpeg(): Promise<Buffer> {
  const values = Uint8Array.from({ length: 12 * 9 * 3 }, (_, i) => (i * 37) % 256)
  return sharp(values, { raw: { width: 12, height: 9, channels: 3 } })
    .jpeg()
    .toBuffer()
}

test.each([{}, { resize: null }, { resize: 8 }])(
  'reads what a folder of images gives for the file, with %j',
  async (size) => {
    await mkdir(join(folder, 'a'))
    const file = join(folder, 'a', '1.jpg')
    await writeFile(file, await jpeg())
    for (const channels of [1, 3]) {
      const options = { sampleShape: [channels, 4, 6], ...size }
      const { images } = await (await openDataset(`images:${folder}`, options)).read([0])
      expect(await readImage(file, options)).toEqual(images)
    }
  },
)

test('the shorter side after resizing decides how much of the image the crop takes', async () => {
  const file = join(folder, '1.jpg')
  await writeFile(file, await jpeg())
  const [covered, larger] = await Promise.all(
    [null, 9].map((resize) => readImage(file, { sampleShape: [3, 4, 4], resize })),
  )
  expect(larger).not.toEqual(covered)
})

test.each<[string, (image: Buffer) => string | Uint8Array | null]>([
  ['missing', () => null],
  ['empty', () => ''],
  ['text', () => 'no image'],
  ['truncated', (image) => image.subarray(0, -40)],
])('a file that is %s is refused in one line with its name', async (name, content) => {
  const file = join(folder, `${name}.jpg`)
  const bytes = content(await jpeg())
  if (bytes !== null) await writeFile(file, bytes)
  const failure = readImage(file, { sampleShape: [3, 4, 4] })
  await expect(failure).rejects.toBeInstanceOf(DatasetError)
  await expect(failure).rejects.toThrow(/^[^\n]*\.jpg cannot be read as an image \([^\n]+\); pass [^\n]+$/)
})

test('shapes and sizes that images cannot take are refused', async () => {
  await expect(readImage('x.png', { sampleShape: [4, 4] })).rejects.toBeInstanceOf(InvalidArgumentError)
  await expect(readImage('x.png', { sampleShape: [3, 8, 8], resize: 6 })).rejects.toThrow('resize to at least 8')
})
