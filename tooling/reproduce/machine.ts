import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, cpus, platform, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Reproduction } from './result.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the figures of time depend on. */
export function describeMachine(): Pick<Reproduction, 'commit' | 'hardware' | 'versions'> {
  return {
    commit: readCommit(),
    hardware: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      platform: `${platform()} ${arch()}`,
    },
    versions: {
      node: process.versions.node,
      sluice: readVersion(`${root}/apps/cli/package.json`),
      onnxruntime: readVersion(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
    },
  }
}

function readCommit(): string | null {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  const { status, stdout } = git('rev-parse', 'HEAD')
  if (status !== 0) return null
  return stdout.trim() + (git('status', '--porcelain', '--untracked-files=no').stdout === '' ? '' : '+')
}

function readVersion(file: string): string {
  return JSON.parse(readFileSync(file, 'utf8')).version
}
