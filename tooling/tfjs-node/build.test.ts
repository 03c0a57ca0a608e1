import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('build.ts', import.meta.url))

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
