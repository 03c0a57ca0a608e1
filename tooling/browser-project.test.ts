import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startVitest } from 'vitest/node'
import { createBrowserProject } from './browser-project.ts'
import { createSummaryReporter } from './summary-reporter.ts'

test('without a Chromium each browser test file is one skipped test with the reason, and is not imported', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-browser-'))
  try {
    symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(root, 'node_modules'))
    mkdirSync(join(root, 'packages/a/src'), { recursive: true })
    writeFileSync(join(root, 'packages/a/src/page.browser.test.ts'), "throw new Error('no document here')")
    const lines: string[] = []
    const reporters = [createSummaryReporter((line) => lines.push(line))]
    const options = { root, config: false as const, watch: false, reporters, maxWorkers: 1 }
    const vitest = await startVitest('test', [], { ...options, projects: [createBrowserProject(null)] })
    await vitest.close()
    expect(lines).toEqual([
      'skipped 1 in packages/a/src/page.browser.test.ts: no Chromium was found; install it, or point SLUICE_CHROMIUM to one',
      '0 passed, 0 failed, 1 skipped',
    ])
  } finally {
    process.exitCode = 0 // the inner run may set it
    rmSync(root, { recursive: true })
  }
})
