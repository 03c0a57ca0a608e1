import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { InvalidArgumentError } from '@sluice/core'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ClassCountMismatchError, DatasetError } from '../errors.ts'
import { openDataset } from './open-dataset.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-images-'))
})

afterEach(() => rm(folder, { recursive: true }))

async function write(name: string, content: string | Uint8Array) {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), content)
}

/** A PNG of one colour. */
function png(red: number, green: number, blue: number, width = 4, height = 4): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: { r: red, g: green, b: blue } } })
    .png()
    .toBuffer()
}

const sampleShape = [3, 4, 4]
const firstOf = (plane: number) => plane * 16

describe('folders of images', () => {
  test('give classes in sorted order and pixels channels first', async () => {
    await write('dog/1.png', await png(255, 0, 51))
    await write('cat/2.png', await png(0, 255, 0))
    await write('cat/.hidden', 'x')
    await write('readme.txt', 'no class')
    const dataset = await openDataset(`images:${folder}`, { sampleShape })
    expect([dataset.classes, dataset.size, dataset.sampleShape]).toEqual([['cat', 'dog'], 2, sampleShape])
    const { images, labels } = await dataset.read([1, 0])
    expect(Array.from(labels ?? [])).toEqual([1, 0])
    expect([0, 1, 2, 3, 4].map((plane) => images[firstOf(plane)])).toEqual([1, 0, Math.fround(0.2), 0, 1])
  })

  test('keep every pixel of an image that has the size already', async () => {
    const values = Uint8Array.from({ length: 48 }, (_, i) => (i * 37) % 256)
    await write(
      'a/1.png',
      await sharp(values, { raw: { width: 4, height: 4, channels: 3 } })
        .png()
        .toBuffer(),
    )
    const { images } = await (await openDataset(`images:${folder}`, { sampleShape })).read([0])
    for (let i = 0; i < 16; i++)
      for (let c = 0; c < 3; c++) expect(Math.round((images[c * 16 + i] as number) * 255)).toBe(values[i * 3 + c])
  })

  test('crop the centre: of the image that just covers, or after resizing to a shorter side', async () => {
    const stripes = Uint8Array.from({ length: 12 * 4 }, (_, i) => (i % 12 >= 4 && i % 12 < 8 ? 200 : 10))
    await write(
      'a/1.png',
      await sharp(stripes, { raw: { width: 12, height: 4, channels: 1 } })
        .png()
        .toBuffer(),
    )
    const covered = await (await openDataset(`images:${folder}`, { sampleShape: [1, 4, 4] })).read([0])
    expect(Array.from(covered.images, (value) => Math.round(value * 255))).toEqual(new Array(16).fill(200))
    const larger = await (await openDataset(`images:${folder}`, { sampleShape: [1, 4, 4], resize: 8 })).read([0])
    expect(Array.from(larger.images, (value) => Math.round(value * 255))).toEqual(new Array(16).fill(200))
  })

  test('bring grey, transparent and 16-bit files to the channels of the network', async () => {
    const grey = { width: 4, height: 4, channels: 1 } as const
    await write('a/1.png', await sharp(new Uint8Array(16).fill(80), { raw: grey }).png().toBuffer())
    const background = { r: 80, g: 80, b: 80, alpha: 0.5 }
    await write(
      'a/2.png',
      await sharp({ create: { width: 4, height: 4, channels: 4, background } })
        .png()
        .toBuffer(),
    )
    await write(
      'a/3.png',
      await sharp(new Uint8Array(16).fill(80), { raw: grey }).toColourspace('grey16').png().toBuffer(),
    )
    for (const channels of [1, 3]) {
      const dataset = await openDataset(`images:${folder}`, { sampleShape: [channels, 4, 4] })
      const { images } = await dataset.read([0, 1, 2])
      expect(images.length).toBe(3 * channels * 16)
      for (const value of images) expect(Math.abs(value * 255 - 80)).toBeLessThan(1.01)
    }
  })

  test('read the split folder where the string names one', async () => {
    await write('train/a/1.png', await png(1, 1, 1))
    await write('test/a/1.png', await png(2, 2, 2))
    const dataset = await openDataset(`images:${folder}?split=train`, { sampleShape, split: 'test' })
    expect((await dataset.read([0])).images[0]).toBeCloseTo(1 / 255, 6)
    await expect(openDataset(`images:${folder}`, { sampleShape })).rejects.toThrow(/no images.*add \?split=train/)
  })

  test('leave out up to 1 % unreadable files, with a warning that counts and names them', async () => {
    const image = await png(9, 9, 9)
    for (let i = 0; i < 99; i++) await write(`a/${i}.png`, image)
    await write('b/broken.png', image.subarray(0, 60))
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    const dataset = await openDataset(`images:${folder}`, { sampleShape, onWarning })
    expect([dataset.size, dataset.classes]).toEqual([99, ['a', 'b']])
    expect(warnings).toEqual([
      expect.stringMatching(/^1 of 100 files of .* cannot be read as images: .*broken\.png\. They are/),
    ])
    await write('b/text.png', 'no image')
    const opened = openDataset(`images:${folder}`, { sampleShape, onWarning })
    await expect(opened).rejects.toThrow(/2 of 101 files.*broken\.png.*text\.png.*More than 1 % is refused/)
    expect(warnings.length).toBe(1)
  })

  test('look at the selected files alone', async () => {
    await write('a/1.png', await png(1, 1, 1))
    await write('a/2.png', 'no image')
    expect((await openDataset(`images:${folder}?limit=1`, { sampleShape })).size).toBe(1)
    await expect(openDataset(`images:${folder}?skip=1`, { sampleShape })).rejects.toThrow(DatasetError)
    await expect(openDataset(`images:${folder}?skip=2`, { sampleShape })).rejects.toThrow(InvalidArgumentError)
  })

  test('take the order of the network classes where the names are its own', async () => {
    await write('cat/1.png', await png(1, 1, 1))
    const dataset = await openDataset(`images:${folder}`, { sampleShape, classes: ['dog', 'cat'] })
    expect([dataset.classes, ...((await dataset.read([0])).labels ?? [])]).toEqual([['dog', 'cat'], 1])
    await write('cow/1.png', await png(1, 1, 1))
    await expect(openDataset(`images:${folder}`, { sampleShape, classes: ['dog', 'cat'] })).rejects.toThrow(
      /has the class 'cow', which the network does not know; rename it to one of dog, cat/,
    )
    await expect(openDataset(`images:${folder}`, { sampleShape, classes: ['x', 'y', 'z'] })).rejects.toThrow(
      ClassCountMismatchError,
    )
  })

  test('refuse shapes and sizes that images cannot take', async () => {
    await write('cat/1.png', await png(1, 1, 1))
    for (const shape of [
      [4, 4],
      [2, 4, 4],
      [3, 4, 4, 4],
      [3, 0, 4],
    ]) {
      await expect(openDataset(`images:${folder}`, { sampleShape: shape })).rejects.toThrow(
        /Images cannot be brought to/,
      )
    }
    const options = { sampleShape: [3, 4, 8], resize: 6 }
    await expect(openDataset(`images:${folder}`, options)).rejects.toThrow(
      /less than the crop of 4 x 8; resize to at least 8/,
    )
  })
})

describe('images.csv', () => {
  test('lists files and class names, quoted where they hold commas, with or without a first line', async () => {
    await write('one.png', await png(1, 1, 1))
    await write('sub/two, too.png', await png(2, 2, 2))
    await write('images.csv', 'file,label\r\none.png,"tench, Tinca tinca"\r\n"sub/two, too.png",cock\r\n')
    const dataset = await openDataset(`images:${folder}`, { sampleShape })
    expect(dataset.classes).toEqual(['cock', 'tench, Tinca tinca'])
    expect(Array.from((await dataset.read([0, 1])).labels ?? [])).toEqual([1, 0])
  })

  test('takes labels that are all numbers as indices', async () => {
    await write('one.png', await png(1, 1, 1))
    await write('images.csv', 'one.png,10\none.png,2')
    const dataset = await openDataset(`images:${folder}`, { sampleShape })
    expect([dataset.classes.length, ...((await dataset.read([0, 1])).labels ?? [])]).toEqual([11, 10, 2])
    const classes = ['a', 'b', 'c']
    await expect(openDataset(`images:${folder}`, { sampleShape, classes })).rejects.toThrow(/sample 0 with 10, outside/)
  })

  test('is refused with the number of a malformed line, and when it is empty', async () => {
    for (const line of ['one.png', 'one.png,a,b', ',a', 'one.png,']) {
      await write('images.csv', `file,label\n${line}`)
      await expect(openDataset(`images:${folder}`, { sampleShape })).rejects.toThrow(
        `images.csv, line 2: '${line}' is not 'file,label'`,
      )
    }
    await write('images.csv', 'file,label\n')
    await expect(openDataset(`images:${folder}`, { sampleShape })).rejects.toThrow(/images\.csv lists no images/)
  })
})
