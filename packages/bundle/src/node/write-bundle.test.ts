import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandomReferenceNetwork, createReferenceBundle } from '@sluice/core/reference'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  AlteredFileError,
  BundleExistsError,
  BundleNotFoundError,
  BundleWriteError,
  InvalidManifestError,
  NotABundleError,
} from '../errors.ts'
import { openBundleFolder, updateManifest, writeBundle } from '../node.ts'

vi.mock('node:fs/promises', async (importActual) => {
  const actual = await importActual<typeof import('node:fs/promises')>()
  return { ...actual, writeFile: vi.fn(actual.writeFile), rename: vi.fn(actual.rename) }
})

let parent: string
let folder: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sluice-bundle-'))
  folder = join(parent, 'net')
})

afterEach(async () => {
  await rm(parent, { recursive: true })
})

/** What `writeBundle` takes for a small random network. */
async function createContent(seed: number) {
  const options = { seed, inputShape: [4], cutWidths: [3], classCount: 2 }
  const { manifest, read } = await createReferenceBundle(createRandomReferenceNetwork(options))
  const { files: listed, ...described } = manifest
  const contents = await Promise.all(Object.keys(listed).map(async (path) => [path, await read(path)] as const))
  return { folder, manifest: described, files: Object.fromEntries(contents) }
}

function createSystemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}

describe('writeBundle', () => {
  it('writes what openBundleFolder reads', async () => {
    const content = await createContent(1)
    const written = await writeBundle(content)
    const bundle = await openBundleFolder(folder)
    expect(bundle.manifest).toEqual(written)
    for (const [path, bytes] of Object.entries(content.files)) {
      expect(new Uint8Array(await bundle.read(path))).toEqual(bytes)
    }
    expect(await readdir(parent)).toEqual(['net'])
  })

  it('creates parent folders and folders inside the bundle', async () => {
    const { manifest, files } = await createContent(1)
    const stages = manifest.stages.map((stage) => ({ ...stage, file: `weights/${stage.file}` }))
    const moved = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`weights/${path}`, bytes]))
    const deep = join(parent, 'a', 'b', 'net')
    await writeBundle({ folder: deep, manifest: { ...manifest, stages }, files: moved })
    expect(await readdir(join(deep, 'weights'))).toEqual(['stage-0.json', 'stage-1.json'])
  })

  it('refuses a folder that exists, and leaves it as it was', async () => {
    const first = await writeBundle(await createContent(1))
    await expect(writeBundle(await createContent(2))).rejects.toBeInstanceOf(BundleExistsError)
    expect((await openBundleFolder(folder)).manifest).toEqual(first)
    expect(await readdir(parent)).toEqual(['net'])
  })

  it('replaces a bundle or an empty folder when asked to', async () => {
    await mkdir(folder)
    await writeBundle({ ...(await createContent(1)), replace: true })
    const second = await writeBundle({ ...(await createContent(2)), replace: true })
    expect((await openBundleFolder(folder)).manifest).toEqual(second)
    expect(await readdir(parent)).toEqual(['net'])
  })

  it('never replaces a folder of other files, nor a file', async () => {
    await mkdir(folder)
    await writeFile(join(folder, 'thesis.txt'), 'precious')
    const replacing = { ...(await createContent(1)), replace: true }
    await expect(writeBundle(replacing)).rejects.toThrow('holds other files than a bundle')
    expect(await readFile(join(folder, 'thesis.txt'), 'utf8')).toBe('precious')
    const file = join(folder, 'thesis.txt')
    await expect(writeBundle({ ...replacing, folder: file })).rejects.toThrow('is a file')
  })

  it('writes nothing when the manifest is invalid or a file name leads outside', async () => {
    const { manifest, files } = await createContent(1)
    await expect(writeBundle({ folder, manifest: { ...manifest, classes: [] }, files })).rejects.toBeInstanceOf(
      InvalidManifestError,
    )
    const outside = { ...files, '../outside.json': new Uint8Array(1) }
    await expect(writeBundle({ folder, manifest, files: outside })).rejects.toThrow('files["../outside.json"]')
    expect(await readdir(parent)).toEqual([])
  })

  it('removes its temporary folder and says so clearly when the disk is full', async () => {
    const first = await writeBundle(await createContent(1))
    const { writeFile: original } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises')
    vi.mocked(writeFile).mockImplementationOnce(original).mockRejectedValueOnce(createSystemError('ENOSPC'))
    const failure = writeBundle({ ...(await createContent(2)), replace: true })
    await expect(failure).rejects.toBeInstanceOf(BundleWriteError)
    await expect(failure).rejects.toThrow('no disk space is left (0.1 MB are needed)')
    expect((await openBundleFolder(folder)).manifest).toEqual(first)
    expect(await readdir(parent)).toEqual(['net'])
  })

  it('puts the old bundle back when the new one cannot take its place', async () => {
    const first = await writeBundle(await createContent(1))
    const { rename: original } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises')
    vi.mocked(rename).mockImplementationOnce(original).mockRejectedValueOnce(createSystemError('EPERM'))
    const failure = writeBundle({ ...(await createContent(2)), replace: true })
    await expect(failure).rejects.toThrow('its place is not writable (EPERM: simulated)')
    expect((await openBundleFolder(folder)).manifest).toEqual(first)
    expect(await readdir(parent)).toEqual(['net'])
  })

  it('leaves nothing behind after an abort', async () => {
    const signal = AbortSignal.abort('stopped')
    await expect(writeBundle({ ...(await createContent(1)), signal })).rejects.toBe('stopped')
    expect(await readdir(parent)).toEqual([])
  })
})

describe('openBundleFolder', () => {
  it('tells a missing folder, a file and a folder without a manifest apart', async () => {
    await expect(openBundleFolder(folder)).rejects.toBeInstanceOf(BundleNotFoundError)
    await expect(openBundleFolder(parent)).rejects.toBeInstanceOf(NotABundleError)
    await writeFile(folder, 'a file')
    await expect(openBundleFolder(folder)).rejects.toBeInstanceOf(NotABundleError)
    await expect(openBundleFolder(join(folder, 'below'))).rejects.toBeInstanceOf(BundleNotFoundError)
  })

  it('refuses a file with a changed byte', async () => {
    await writeBundle(await createContent(1))
    const file = join(folder, 'stage-0.json')
    const bytes = await readFile(file)
    await writeFile(file, bytes.with(20, (bytes[20] ?? 0) ^ 1))
    const bundle = await openBundleFolder(folder)
    await expect(bundle.read('stage-0.json')).rejects.toBeInstanceOf(AlteredFileError)
  })
})

describe('updateManifest', () => {
  it('refuses a manifest that was altered by hand, and leaves it', async () => {
    await writeBundle(await createContent(1))
    const file = join(folder, 'sluice.json')
    const altered = (await readFile(file, 'utf8')).replace('"fitAccuracy": 0', '"fitAccuracy": 1')
    await writeFile(file, altered)
    await expect(updateManifest(folder, (manifest) => manifest)).rejects.toBeInstanceOf(AlteredFileError)
    expect(await readFile(file, 'utf8')).toBe(altered)
  })

  it('writes thresholds and touches no other file', async () => {
    const before = await writeBundle(await createContent(1))
    const inode = (await stat(join(folder, 'stage-0.json'))).ino
    const updated = await updateManifest(folder, (manifest) => ({
      ...manifest,
      gates: manifest.gates.map((gate) => ({ ...gate, policy: { ...gate.policy, threshold: 0.75 } })),
    }))
    expect((await openBundleFolder(folder)).manifest).toEqual(updated)
    expect(updated.gates[0]?.policy.threshold).toBe(0.75)
    expect({ ...updated, gates: before.gates }).toEqual(before)
    expect((await stat(join(folder, 'stage-0.json'))).ino).toBe(inode)
  })

  it('keeps the old manifest when the new one is invalid or cannot be written', async () => {
    const before = await writeBundle(await createContent(1))
    await expect(updateManifest(folder, (manifest) => ({ ...manifest, gates: [] }))).rejects.toBeInstanceOf(
      InvalidManifestError,
    )
    vi.mocked(writeFile).mockRejectedValueOnce(createSystemError('ENOSPC'))
    await expect(updateManifest(folder, (manifest) => manifest)).rejects.toThrow('no disk space is left')
    expect((await openBundleFolder(folder)).manifest).toEqual(before)
    expect((await readdir(folder)).toSorted()).toEqual(['sluice.json', 'stage-0.json', 'stage-1.json'])
  })
})
