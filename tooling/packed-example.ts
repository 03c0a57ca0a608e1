import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PackedPackage } from './pack.ts'

const example = fileURLToPath(new URL('packed-example/main.mjs', import.meta.url))
const typeScript = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const installed = ['@sluice/core', '@sluice/policy-softmax']

/**
 * Installs the tarballs that `packed-example/main.mjs` needs, as a user would, then type-checks and runs it there.
 *
 * @param folder existing folder outside the checkout, so that nothing of it is found by accident
 * @returns one text per problem
 */
export function findExampleProblems(packages: readonly PackedPackage[], folder: string): string[] {
  const tarballs = packages.filter(({ name }) => installed.includes(name)).map(({ file }) => file)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  copyFileSync(example, join(folder, 'main.mjs'))
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs]
  const typeCheck = ['--noEmit', '--strict', '--checkJs', '--module', 'nodenext', '--lib', 'es2023,dom', 'main.mjs']
  const steps = [
    () => run('npm', install, folder),
    () => run(process.execPath, [typeScript, ...typeCheck], folder),
    () => run(process.execPath, ['main.mjs'], folder),
  ]
  for (const step of steps) {
    const problems = step()
    if (problems.length > 0) return problems
  }
  return []
}

function run(command: string, args: readonly string[], cwd: string): string[] {
  const shell = command === 'npm' && process.platform === 'win32'
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', shell })
  if (status === 0) return []
  return [`${command} ${args.join(' ')}`, `${stdout ?? ''}${stderr ?? ''}`, error?.message ?? `Exit status ${status}.`]
}
