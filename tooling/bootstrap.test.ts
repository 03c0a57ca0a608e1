import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const lockfile = {
  packages: {
    '': { name: 'fixture' },
    'node_modules/left': { version: '1.2.0' },
    'node_modules/for-another-platform': { version: '1.0.0', optional: true },
  },
}

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-bootstrap-'))
  write('package.json', '{ "engines": { "node": ">=20" }, "type": "module" }')
  write('package-lock.json', JSON.stringify(lockfile))
  write('node_modules/vitest/vitest.mjs', "console.log('vitest', ...process.argv.slice(2)); process.exitCode = 3")
  write('node_modules/turbo/bin/turbo', "console.log('much output of the build')")
  write('apps/cli/dist/main.js', "console.log('sluice', ...process.argv.slice(2))")
  write('npm.mjs', `import { writeFileSync } from 'node:fs'; writeFileSync('npm-was-called', process.argv.join(' '))`)
  mkdirSync(join(root, 'tooling'))
  copyFileSync(fileURLToPath(new URL('bootstrap.mjs', import.meta.url)), join(root, 'tooling/bootstrap.mjs'))
})

afterEach(() => rmSync(root, { recursive: true }))

function write(file: string, text: string) {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

function installPackages(version: string) {
  write('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/left': { version } } }))
}

function bootstrap(args: string[], nodeOptions: string[] = []) {
  const script = join(root, 'tooling/bootstrap.mjs')
  const env = { ...process.env, npm_execpath: join(root, 'npm.mjs') }
  const result = spawnSync(process.execPath, [...nodeOptions, script, ...args], {
    cwd: tmpdir(),
    env,
    encoding: 'utf8',
  })
  return { ...result, installed: existsSync(join(root, 'npm-was-called')) }
}

test('test passes its arguments to vitest and its exit status back, and installs nothing that is there', () => {
  installPackages('1.2.0')
  const result = bootstrap(['test', 'packages/core', '-t', 'exits'])
  expect(result).toMatchObject({ status: 3, stdout: 'vitest run packages/core -t exits\n', installed: false })
})

test('an absent node_modules is installed first', () => {
  const result = bootstrap(['test'])
  expect(result).toMatchObject({ status: 3, installed: true })
  expect(result.stderr).toMatch(/^Installing dependencies … done in \d/)
})

test('another version than the lockfile asks for is installed anew', () => {
  installPackages('1.1.0')
  expect(bootstrap(['test']).installed).toBe(true)
})

test('start builds quietly and runs the demo', () => {
  installPackages('1.2.0')
  const result = bootstrap(['start', '--seed', '1'])
  expect(result).toMatchObject({ status: 0, stdout: 'sluice demo --seed 1\n', installed: false })
  expect(result.stderr).toMatch(/^Building what changed … done in [\d.]+ s\n$/)
})

test('a failed installation shows its last lines and a hint, and runs nothing', () => {
  write('npm.mjs', "console.error('npm error network ENOTFOUND'); process.exitCode = 1")
  const result = bootstrap(['start'])
  expect(result).toMatchObject({ status: 1, stdout: '' })
  expect(result.stderr).toMatch(/npm error network ENOTFOUND\n\nInstalling dependencies failed with status 1\. Check/)
})

test('a failed build shows its output and runs nothing', () => {
  installPackages('1.2.0')
  write('node_modules/turbo/bin/turbo', "console.log('src/a.ts: no such type'); process.exitCode = 2")
  const result = bootstrap(['start'])
  expect(result).toMatchObject({ status: 1, stdout: '' })
  expect(result.stderr).toContain('src/a.ts: no such type')
})

test('a Node that is too old is told which one is needed', () => {
  const pretendOld =
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.19.0"}})'
  const result = bootstrap(['test'], ['--import', pretendOld])
  expect(result).toMatchObject({ status: 1, stdout: '', installed: false })
  expect(result.stderr).toBe('Node >=20 is needed, this is 18.19.0. Install a newer one from https://nodejs.org.\n')
})

test('an unknown task is named with the ones there are', () => {
  expect(bootstrap(['launch']).stderr).toBe("Unknown task 'launch'; choose one of start, test, build.\n")
})
