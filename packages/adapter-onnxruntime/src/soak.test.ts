import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

function soak(...options: string[]) {
  const script = fileURLToPath(new URL('../scripts/soak.ts', import.meta.url))
  const flags = ['--expose-gc', '--import', 'tsx', '--conditions=@sluice/source']
  return spawnSync(process.execPath, [...flags, script, ...options], { encoding: 'utf8' })
}

test('10,000 batches do not grow the process', () => {
  const { status, stdout, stderr } = soak()
  expect(stdout + stderr).toMatch(/^flat: /)
  expect(status).toBe(0)
})

test('a leaked activation a batch would be noticed', () => {
  const { status, stdout } = soak('--leak')
  expect(stdout).toMatch(/^GROWS: /)
  expect(status).toBe(1)
})
