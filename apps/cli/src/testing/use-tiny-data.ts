import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { writeTinyData } from './tiny-files.ts'

/** A folder of a test file's own, and data specs of the tiny network's labelled samples in it; filled in before the first test. */
export interface TinyData {
  readonly folder: string
  /** 1,000 samples. */
  readonly training: string
  /** 400 others. */
  readonly unseen: string
}

/** Registers the hooks that make the data before the tests of a file and remove the folder after them. */
export function useTinyData(name: string): TinyData {
  const tiny = { folder: '', training: '', unseen: '' }
  beforeAll(async () => {
    tiny.folder = await mkdtemp(join(tmpdir(), `sluice-${name}-`))
    tiny.training = await writeTinyData(tiny.folder, 'training', { rows: 1000, seed: 1 })
    tiny.unseen = await writeTinyData(tiny.folder, 'unseen', { rows: 400, seed: 2 })
  })
  afterAll(() => rm(tiny.folder, { recursive: true }))
  return tiny
}
