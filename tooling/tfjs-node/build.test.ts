import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { BuildError, claimFolder } from './steps.ts'

const script = fileURLToPath(new URL('build.ts', import.meta.url))

const root = mkdtempSync(join(tmpdir(), 'sluice-tfjs-node-'))

afterAll(() => rmSync(root, { recursive: true }))

function build(args: readonly string[], path: string) {
  const env = { ...process.env, PATH: path }
  return spawnSync(process.execPath, ['--import', 'tsx', script, ...args], { encoding: 'utf8', env })
}

test('a wheel that is not there is one clear line', () => {
  const { status, stderr } = build(['--wheel', 'no-such.whl'], process.env.PATH ?? '')
  expect(status).toBe(1)
  expect(stderr).toMatch(/^There is no wheel at .*no-such\.whl\.\n$/)
})

test.runIf(process.platform === 'linux')('a missing program is one clear line with what brings it', () => {
  const { status, stderr } = build([], '/nowhere')
  expect(status).toBe(1)
  expect(stderr).toBe('npm is not on the PATH. It comes with Node: https://nodejs.org.\n')
})

test('a new folder is claimed, and once claimed is taken again as it is', () => {
  const folder = join(root, 'new')
  claimFolder(folder)
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  const packageFile = join(folder, 'package.json')
  const withDependencies = JSON.stringify({ ...JSON.parse(readFileSync(packageFile, 'utf8')), dependencies: {} })
  writeFileSync(packageFile, withDependencies)
  claimFolder(folder)
  expect(readFileSync(packageFile, 'utf8')).toBe(withDependencies)
})

test.each([
  ['package.json', '{ "name": "somebody-elses" }'],
  ['package.json', 'no JSON'],
  ['notes.txt', 'mine'],
])("a folder with somebody else's %s is refused and left alone: %s", (file, content) => {
  const folder = mkdtempSync(join(root, 'used-'))
  writeFileSync(join(folder, file), content)
  expect(() => claimFolder(folder)).toThrow(BuildError)
  expect(() => claimFolder(folder)).toThrow('Name an empty folder, or empty this one.')
  expect(readFileSync(join(folder, file), 'utf8')).toBe(content)
})
