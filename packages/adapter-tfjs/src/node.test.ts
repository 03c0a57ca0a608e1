import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { findBestNodeTfjsBackend, openNodeTfjs, TfjsBackendMissingError } from './node.ts'

const emptyFolder = mkdtempSync(join(tmpdir(), 'sluice-no-tfjs-'))

afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(emptyFolder, { recursive: true })
})

test.each(['cpu', 'wasm'] as const)('%s is chosen, ready and quiet', async (backend) => {
  const tf = await openNodeTfjs(backend)
  expect(tf.getBackend()).toBe(backend)
  const squares = tf.tidy(() => tf.tensor1d([1, 2, 3]).square())
  expect([...(await squares.data())]).toEqual([1, 4, 9])
  squares.dispose()
})

test('a missing native library is an error that says how to get it', async () => {
  vi.stubEnv('SLUICE_TFJS_NODE', emptyFolder)
  const opening = openNodeTfjs('tensorflow')
  await expect(opening).rejects.toThrow(TfjsBackendMissingError)
  await expect(opening).rejects.toThrow(/has no backend 'tensorflow' here.*SLUICE_TFJS_NODE/)
})

test('the native library is the best backend where its folder is named, wasm elsewhere', () => {
  vi.stubEnv('SLUICE_TFJS_NODE', emptyFolder)
  expect(findBestNodeTfjsBackend()).toBe('tensorflow')
  vi.stubEnv('SLUICE_TFJS_NODE', '')
  const cwd = vi.spyOn(process, 'cwd').mockReturnValue(emptyFolder)
  expect(findBestNodeTfjsBackend()).toBe('wasm')
  cwd.mockRestore()
})
