/** Everything but the tests that a change has to pass: `npm run check`. Runs in the root of the checkout. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getReleasePlan from '@changesets/get-release-plan'
import { createProgramStep, runLanes, type Step } from './lanes.ts'
import { type PackedPackage, pack, readTarball } from './pack.ts'
import { findPackageProblems } from './package-problems.ts'
import { findExampleProblems } from './packed-example.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-check-'))
let packages: readonly PackedPackage[] = []

const changesets: Step = {
  name: 'changesets name packages that exist',
  run: () =>
    getReleasePlan(process.cwd()).then(
      () => [],
      (error) => [String(error)],
    ),
}

const published: Step = {
  name: 'packages as published (publint, types)',
  async run() {
    packages = pack(process.cwd(), folder, ['--workspaces'])
    const problems: string[] = []
    for (const packed of packages) {
      for (const problem of await findPackageProblems(readTarball(packed))) problems.push(`${packed.name}: ${problem}`)
    }
    return problems
  },
}

const example: Step = {
  name: 'an example on the packed packages',
  run: async () => findExampleProblems(packages, join(folder, 'example')),
}

const rules = ['--config', 'tooling/dependency-rules.mjs', 'packages', 'apps', 'tooling']
const sources = [
  createProgramStep('lint and format', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']),
  createProgramStep('types', 'node_modules/typescript/bin/tsc', ['--noEmit']),
  createProgramStep('dependency directions', 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs', rules),
  createProgramStep('dead code and undeclared dependencies', 'node_modules/knip/bin/knip.js', []),
  changesets,
]
const builds = [createProgramStep('build', 'tooling/bootstrap.mjs', ['build']), published, example]

try {
  if (!(await runLanes([sources, builds]))) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
