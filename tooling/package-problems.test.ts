import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pack, readTarball } from './pack.ts'
import { findPackageProblems } from './package-problems.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'dist/index.js'), 'export const one = 1\n')
})

afterEach(() => rmSync(root, { recursive: true }))

async function findProblems(exports: object): Promise<string[]> {
  const manifest = { name: 'fixture', version: '1.0.0', license: 'MIT', type: 'module', files: ['dist'], exports }
  writeFileSync(join(root, 'package.json'), JSON.stringify(manifest))
  const [packed] = pack(root, root)
  if (packed === undefined) throw new Error('npm pack yielded nothing.')
  return findPackageProblems(readTarball(packed))
}

test('a package with its declarations has no problems, although require cannot load it', async () => {
  writeFileSync(join(root, 'dist/index.d.ts'), 'export declare const one = 1\n')
  expect(await findProblems({ '.': { types: './dist/index.d.ts', import: './dist/index.js' } })).toEqual([])
})

test('an export that is not in the tarball is found', async () => {
  writeFileSync(join(root, 'dist/index.d.ts'), 'export declare const one = 1\n')
  const problems = await findProblems({ '.': { types: './dist/index.d.ts', import: './dist/absent.js' } })
  expect(problems).toContainEqual(expect.stringMatching(/^publint: .*absent\.js.* does not exist/))
})

test('an entry without declarations is found', async () => {
  writeFileSync(join(root, 'dist/index.d.ts'), 'export declare const one = 1\n')
  writeFileSync(join(root, 'dist/untyped.js'), 'export const two = 2\n')
  const entry = { types: './dist/index.d.ts', import: './dist/index.js' }
  const problems = await findProblems({ '.': entry, './untyped': { import: './dist/untyped.js' } })
  expect(problems).toContainEqual(expect.stringMatching(/^types: .*UntypedResolution/))
})
