import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkTarget, FileWriteError, writeFileAtomically } from './write-file.ts'

vi.mock('node:fs/promises', async (importActual) => {
  const actual = await importActual<typeof import('node:fs/promises')>()
  return { ...actual, writeFile: vi.fn(actual.writeFile) }
})

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-write-'))
  file = join(folder, 'page.html')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

describe('writeFileAtomically', () => {
  it('writes a file, and replaces one only when asked to', async () => {
    await writeFileAtomically(file, 'first', { replace: false })
    await expect(writeFileAtomically(file, 'second', { replace: false })).rejects.toThrow('Add --force to replace it')
    expect(await readFile(file, 'utf8')).toBe('first')
    await writeFileAtomically(file, 'second', { replace: true })
    expect(await readFile(file, 'utf8')).toBe('second')
    expect(await readdir(folder)).toEqual(['page.html'])
  })

  it('leaves the old file and nothing else when the disk is full', async () => {
    await writeFileAtomically(file, 'first', { replace: false })
    const { writeFile: original } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises')
    vi.mocked(writeFile).mockImplementationOnce(async (path) => {
      await original(path, 'sec')
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    })
    const failure = writeFileAtomically(file, 'second', { replace: true })
    await expect(failure).rejects.toBeInstanceOf(FileWriteError)
    await expect(failure).rejects.toThrow('no space left on device, write. Check the folder')
    expect(await readFile(file, 'utf8')).toBe('first')
    expect(await readdir(folder)).toEqual(['page.html'])
  })
})

describe('checkTarget', () => {
  it('refuses a missing folder, and whatever is no file, even to be replaced', async () => {
    await expect(checkTarget(join(folder, 'none', 'page.html'), { replace: true })).rejects.toThrow('is no folder')
    await mkdir(file)
    await expect(checkTarget(file, { replace: true })).rejects.toThrow('something else than a file stands there')
  })
})
