import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from '@sluice/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBudgetedStorage } from './budgeted-storage.ts'
import { FeatureStorageError } from './errors.ts'
import { createFileStorage } from './file-storage.ts'
import { createMemoryStorage } from './memory-storage.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Blocks of four rows of three values. */
const blockBytes = 4 * 3 * 4
const count = (from: number, length: number) => Float32Array.from({ length }, (_, index) => from + index)

describe.each([
  { name: 'memory', createStorage: () => createMemoryStorage({ blockBytes }) },
  { name: 'a file', createStorage: () => createFileStorage({ blockBytes, folder }) },
  {
    name: 'memory that does for a part',
    createStorage: () => createBudgetedStorage({ blockBytes, folder, memoryBudgetBytes: 2 * blockBytes }),
  },
])('a feature store in $name', ({ createStorage }) => {
  it('gives back any range of rows, whatever pieces they were appended in', async () => {
    const store = await createStorage().createStore(3)
    await store.append(count(0, 3))
    await store.append(count(3, 27))
    await store.append(count(30, 6))
    expect([store.rows, store.width, store.blockRows]).toEqual([12, 3, 4])
    for (let start = 0; start <= 12; start++) {
      for (let rows = 0; start + rows <= 12; rows++) {
        expect(await store.read(start, rows)).toEqual(count(3 * start, 3 * rows))
      }
    }
    await store.dispose()
  })

  it('refuses parts of rows and rows that it does not hold', async () => {
    const store = await createStorage().createStore(3)
    await expect(store.append(count(0, 4))).rejects.toThrow(InvalidArgumentError)
    await store.append(count(0, 6))
    await expect(store.read(1, 2)).rejects.toThrow(/Rows 1 to 2 do not exist; the store holds 2/)
    await expect(store.read(-1, 1)).rejects.toThrow(InvalidArgumentError)
    await store.dispose()
  })

  it('can be disposed twice', async () => {
    const store = await createStorage().createStore(3)
    await store.append(count(0, 6))
    await store.dispose()
    await store.dispose()
    expect(store.rows).toBe(0)
  })
})

describe('createFileStorage', () => {
  it('leaves no file behind, not even while it is in use', async () => {
    const store = await createFileStorage({ folder }).createStore(3)
    await store.append(count(0, 6))
    expect(await readdir(folder)).toEqual([])
    await store.dispose()
  })

  it('says which folder failed', async () => {
    const missing = join(folder, 'missing')
    const failed = createFileStorage({ folder: missing }).createStore(3)
    await expect(failed).rejects.toThrow(FeatureStorageError)
    await expect(failed).rejects.toThrow(missing)
  })
})

describe('createBudgetedStorage', () => {
  const missing = { blockBytes, folder: '/missing', memoryBudgetBytes: 2 * blockBytes }

  it('opens no file as long as all stores together fit the budget', async () => {
    const storage = createBudgetedStorage(missing)
    const [first, second] = [await storage.createStore(3), await storage.createStore(6)]
    await first.append(count(0, 12))
    await second.append(count(0, 12))
    await expect(second.append(count(12, 6))).rejects.toThrow(FeatureStorageError)
    expect(await second.read(0, 2)).toEqual(count(0, 12))
    await first.dispose()
    await second.append(count(12, 6))
    expect(await second.read(0, 3)).toEqual(count(0, 18))
  })

  it('a store that moves to a file makes room for the others', async () => {
    const storage = createBudgetedStorage({ ...missing, folder })
    const [first, second] = [await storage.createStore(3), await storage.createStore(3)]
    await first.append(count(0, 18))
    await first.append(count(18, 12))
    await rm(folder, { recursive: true })
    await second.append(count(0, 24))
    await expect(second.append(count(24, 3))).rejects.toThrow(FeatureStorageError)
    expect(await first.read(0, 10)).toEqual(count(0, 30))
    await first.dispose()
    await mkdir(folder)
  })
})
