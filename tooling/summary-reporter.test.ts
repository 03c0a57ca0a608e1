import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startVitest } from 'vitest/node'
import { createSummaryReporter } from './summary-reporter.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-reporter-'))
  symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(root, 'node_modules'))
  mkdirSync(join(root, 'src'))
})

afterEach(() => {
  process.exitCode = 0 // the inner run sets it
  rmSync(root, { recursive: true })
})

async function summarise(source: string): Promise<string[]> {
  writeFileSync(join(root, 'src/a.test.ts'), source)
  const lines: string[] = []
  const reporters = [createSummaryReporter((line) => lines.push(line))]
  const vitest = await startVitest('test', [], { root, config: false, watch: false, reporters, maxWorkers: 1 })
  await vitest.close()
  return lines
}

test('counts tests by result and groups skips by file and reason', async () => {
  const lines = await summarise(`
    import { test } from 'vitest'
    test('passes', () => {})
    test('fails', () => { throw new Error('wrong') })
    test('needs a device', ({ skip }) => skip('no GPU here'))
    test('needs a device too', ({ skip }) => skip('no GPU here'))
    test.skip('is off', () => {})
  `)
  expect(lines).toEqual([
    'skipped 2 in src/a.test.ts: no GPU here',
    'skipped 1 in src/a.test.ts: no reason given',
    '1 passed, 1 failed, 3 skipped',
  ])
})

test('a file that cannot be imported counts as failed', async () => {
  expect(await summarise("import './absent.ts'")).toEqual(['0 passed, 1 failed, 0 skipped'])
})

test('a hook that throws counts as failed', async () => {
  const lines = await summarise(`
    import { beforeAll, describe, test } from 'vitest'
    describe('suite', () => {
      beforeAll(() => { throw new Error('wrong') })
      test('never runs', () => {})
    })
  `)
  expect(lines.at(-1)).toMatch(/^0 passed, 1 failed, /)
})
