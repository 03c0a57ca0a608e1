import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { InvalidArgumentError, NonFiniteValueError, ShapeMismatchError } from '@sluice/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeWithShared } from '../../../../tooling/describe-with-shared.ts'
import { ClassCountMismatchError, DatasetError } from '../errors.ts'
import { encodeNpy } from '../npy.ts'
import { openDataset } from './open-dataset.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-datasets-'))
})

afterEach(() => rm(folder, { recursive: true }))

const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content)

async function labelsOf(spec: string): Promise<readonly number[]> {
  const dataset = await openDataset(spec)
  const { labels } = await dataset.read(Array.from({ length: dataset.size }, (_, index) => index))
  return Array.from(labels ?? [])
}

const cifarRecord = (labels: readonly number[]) => [...labels, ...new Array<number>(3072).fill(labels[0] ?? 0)]
const lines = (count: number) => Array.from({ length: count }, (_, i) => `class ${i}`).join('\n')

describe('cifar10', () => {
  beforeEach(async () => {
    await write('batches.meta.txt', lines(10))
    await write('data_batch_2.bin', Uint8Array.from([...cifarRecord([2]), ...cifarRecord([3])]))
    await write('data_batch_10.bin', Uint8Array.from(cifarRecord([4])))
    await write('data_batch_1.bin', Uint8Array.from(cifarRecord([1])))
    await write('test_batch.bin', Uint8Array.from(cifarRecord([9])))
  })

  test('reads the batches of the training split in the order of their numbers', async () => {
    expect(await labelsOf(`cifar10:${folder}?split=train`)).toEqual([1, 2, 3, 4])
    const dataset = await openDataset(`cifar10:${folder}?split=train`)
    expect([dataset.classes[9], ...dataset.sampleShape]).toEqual(['class 9', 3, 32, 32])
    expect((await dataset.read([2])).images).toEqual(new Float32Array(3072).fill(3 / 255))
  })

  test('applies split, shuffle, skip and limit in this order', async () => {
    const shuffled = await labelsOf(`cifar10:${folder}?split=train&shuffle=5`)
    expect(shuffled.toSorted()).toEqual([1, 2, 3, 4])
    expect(await labelsOf(`cifar10:${folder}?limit=2&skip=1&shuffle=5&split=train`)).toEqual(shuffled.slice(1, 3))
  })

  test('reads the test split where the string names none, else the one that the caller names', async () => {
    expect(await labelsOf(`cifar10:${folder}`)).toEqual([9])
    expect((await openDataset(`cifar10:${folder}`, { split: 'train' })).size).toBe(4)
    expect((await openDataset(`cifar10:${folder}?split=test`, { split: 'train' })).size).toBe(1)
  })

  test('refuses a selection that leaves nothing', async () => {
    await expect(openDataset(`cifar10:${folder}?skip=1`)).rejects.toThrow(InvalidArgumentError)
  })

  test('refuses a truncated batch, a label out of range, and missing class names', async () => {
    await write('test_batch.bin', Uint8Array.from(cifarRecord([9]).slice(0, 3000)))
    await expect(openDataset(`cifar10:${folder}`)).rejects.toThrow(/test_batch\.bin has 3000 bytes, not a multiple/)
    await write('test_batch.bin', Uint8Array.from(cifarRecord([10])))
    await expect(openDataset(`cifar10:${folder}`)).rejects.toThrow(/labels sample 0 with 10, outside 0\.\.9/)
    await rm(join(folder, 'batches.meta.txt'))
    await expect(openDataset(`cifar10:${folder}`)).rejects.toThrow(/batches\.meta\.txt does not exist/)
  })

  test('refuses a network with another number of classes or another input', async () => {
    const classes = ['a', 'b']
    await expect(openDataset(`cifar10:${folder}`, { classes })).rejects.toThrow(ClassCountMismatchError)
    await expect(openDataset(`cifar10:${folder}`, { classes })).rejects.toThrow(/has 10 classes and the network 2/)
    const options = { sampleShape: [3, 224, 224] }
    await expect(openDataset(`cifar10:${folder}`, options)).rejects.toThrow(ShapeMismatchError)
  })
})

test('cifar100 reads fine labels and their names', async () => {
  await write('fine_label_names.txt', lines(100))
  await write('test.bin', Uint8Array.from(cifarRecord([3, 42])))
  const dataset = await openDataset(`cifar100:${folder}`)
  expect([dataset.classes.length, ...((await dataset.read([0])).labels ?? [])]).toEqual([100, 42])
})

test('a folder that is missing, empty or a file is refused with a remedy', async () => {
  await expect(openDataset(`cifar10:${folder}/none`)).rejects.toThrow(/none does not exist; check the path/)
  await expect(openDataset(`cifar10:${folder}`)).rejects.toThrow(/holds no CIFAR-10 test files.*pass the folder/)
  await write('file', '')
  await expect(openDataset(`idx:${folder}/file`)).rejects.toThrow(/file is no folder; pass a folder/)
  await expect(openDataset(`images:${folder}/none`)).rejects.toThrow(DatasetError)
  await expect(openDataset(`npy:${folder}/none`)).rejects.toThrow(/none does not exist/)
  await expect(openDataset(`npy:${folder}`)).rejects.toThrow(/is a folder; pass a file/)
})

describe('idx', () => {
  const images = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255])
  const labels = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 2, 1, 0])

  test('reads plain and gzipped files of either naming', async () => {
    await write('train-images-idx3-ubyte', images)
    await write('train-labels-idx1-ubyte.gz', gzipSync(labels))
    await write('emnist-letters-test-images.idx3-ubyte.gz', gzipSync(images))
    await write('emnist-letters-test-labels.idx1-ubyte', labels)
    expect(await labelsOf(`idx:${folder}?split=train`)).toEqual([1, 0])
    expect(await labelsOf(`idx:${folder}?split=test`)).toEqual([1, 0])
    const dataset = await openDataset(`idx:${folder}`)
    expect([dataset.classes, dataset.sampleShape]).toEqual([
      ['0', '1'],
      [1, 1, 2],
    ])
    expect((await dataset.read([1])).images).toEqual(Float32Array.from([0.4, 1]))
  })

  test('refuses damaged, doubled and mismatched files', async () => {
    await write('t10k-images-idx3-ubyte', images)
    await expect(openDataset(`idx:${folder}`)).rejects.toThrow(/holds no test labels in IDX format/)
    await write('t10k-labels-idx1-ubyte.gz', gzipSync(labels).subarray(0, 20))
    await expect(openDataset(`idx:${folder}`)).rejects.toThrow(/is not a whole gzip file/)
    await write('t10k-labels-idx1-ubyte.gz', gzipSync(Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 1, 1])))
    await expect(openDataset(`idx:${folder}`)).rejects.toThrow(/2 test images and 1 labels/)
    await write('t10k-labels-idx1-ubyte', labels)
    await expect(openDataset(`idx:${folder}`)).rejects.toThrow(/both test labels; keep one/)
    await write('t10k-images-idx3-ubyte', Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 1, 1]))
    await expect(openDataset(`idx:${folder}`)).rejects.toThrow(/has 1 dimensions; images have 3/)
  })

  test('refuses labels at or above the number of the network classes', async () => {
    await write('t10k-images-idx3-ubyte', images)
    await write('t10k-labels-idx1-ubyte', labels)
    await expect(openDataset(`idx:${folder}`, { classes: ['only'] })).rejects.toThrow(/sample 0 with 1, outside 0\.\.0/)
    expect((await openDataset(`idx:${folder}`, { classes: ['a', 'b', 'c'] })).classes).toEqual(['a', 'b', 'c'])
  })
})

describe('npy', () => {
  const samples = Float32Array.from({ length: 24 }, (_, i) => i / 2)

  test('reads the rows asked for, in order, with their labels', async () => {
    await write('x.npy', encodeNpy(samples, [6, 2, 2]))
    await write('y.npy', encodeNpy(Int32Array.from([0, 2, 1, 0, 0, 2]), [6]))
    const dataset = await openDataset(`npy:${folder}/x.npy,${folder}/y.npy`)
    expect([dataset.size, dataset.classes, dataset.sampleShape]).toEqual([6, ['0', '1', '2'], [2, 2]])
    const batch = await dataset.read([4, 5, 1, 1])
    const rows = [16, 20, 4, 4].flatMap((start) => Array.from(samples.subarray(start, start + 4)))
    expect(Array.from(batch.images)).toEqual(rows)
    expect(Array.from(batch.labels ?? [])).toEqual([0, 2, 2, 2])
  })

  test('has no labels and no classes where no labels file is named', async () => {
    await write('x.npy', encodeNpy(samples, [6, 4]))
    const dataset = await openDataset(`npy:${folder}/x.npy?skip=1`, { classes: ['a', 'b'] })
    expect([dataset.classes, (await dataset.read([0])).labels, dataset.size]).toEqual([[], null, 5])
  })

  test('refuses NaN and infinities, naming the sample', async () => {
    await write('x.npy', encodeNpy(Float32Array.from([1, 2, 3, Number.NaN]), [2, 2]))
    const dataset = await openDataset(`npy:${folder}/x.npy`)
    await expect(dataset.read([0])).resolves.toMatchObject({ rows: 1 })
    await expect(dataset.read([1])).rejects.toThrow(NonFiniteValueError)
    await expect(dataset.read([0, 1])).rejects.toThrow(/holds NaN in row 1/)
  })

  test('refuses arrays that are no samples or labels', async () => {
    await write('x.npy', encodeNpy(samples, [24]))
    await expect(openDataset(`npy:${folder}/x.npy`)).rejects.toThrow(/has shape \[24\]; samples need/)
    await write('x.npy', encodeNpy(samples, [6, 4]))
    await write('y.npy', encodeNpy(Int32Array.from([0, 1]), [2]))
    const spec = `npy:${folder}/x.npy,${folder}/y.npy`
    await expect(openDataset(spec)).rejects.toThrow(/y\.npy has shape \[2\]; pass one label per sample, \[6\]/)
    await write('y.npy', encodeNpy(Float32Array.from([0, 1, 0.5, 0, 0, 0]), [6]))
    await expect(openDataset(spec)).rejects.toThrow(/labels sample 2 with 0.5; a label is a whole number/)
    await write('y.npy', encodeNpy(Int32Array.from([0, 1, -1, 0, 0, 0]), [6]))
    await expect(openDataset(spec)).rejects.toThrow(/labels sample 2 with -1, outside 0\.\.1/)
  })
})

test('glyphs open without a path', async () => {
  const dataset = await openDataset('glyphs?split=train&shuffle=1&limit=7', { sampleShape: [3, 32, 32] })
  expect([dataset.size, dataset.name, dataset.classes[1]]).toEqual([7, 'glyphs train', 'star'])
})

describeWithShared('the real CIFAR-10', (shared) => {
  test('has its sizes, balanced classes and mean colour', async () => {
    const dataset = await openDataset(`cifar10:${shared}/data/cifar-10-batches-bin?split=test`)
    const { images, labels } = await dataset.read(Array.from({ length: dataset.size }, (_, index) => index))
    expect([dataset.size, dataset.classes[0], dataset.classes[9]]).toEqual([10_000, 'airplane', 'truck'])
    for (let c = 0; c < 10; c++) expect(labels?.filter((label) => label === c).length).toBe(1000)
    const red = images.filter((_, i) => Math.floor(i / 1024) % 3 === 0)
    expect(red.reduce((sum, value) => sum + value, 0) / red.length).toBeCloseTo(0.494, 2)
  })
})
