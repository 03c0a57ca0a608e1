import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url))
const rules = fileURLToPath(new URL('dependency-rules.mjs', import.meta.url))

/** One import per file: the importing file, what it imports, and the rule that it breaks (null where it is allowed). */
const cases: [file: string, imported: string, rule: string | null][] = [
  ['packages/core/src/a.ts', 'node:fs', 'core imports nothing'],
  ['packages/core/src/b.ts', '@sluice/onnx-graph', 'directions of packages/core'],
  ['packages/core/src/c.ts', 'zod', 'core imports nothing'],
  ['packages/core/src/c.test.ts', '@sluice/conformance', null],
  ['packages/core/src/d.test.ts', '@sluice/training', 'directions of packages/core in tests'],
  ['packages/onnx-graph/src/a.ts', '@sluice/core', null],
  ['packages/onnx-graph/src/b.ts', '@sluice/training', 'directions of packages/onnx-graph'],
  ['packages/onnx-graph/src/c.ts', 'onnxruntime-node', 'onnxruntime is injected'],
  ['packages/onnx-graph/src/c.test.ts', 'onnxruntime-node', null],
  ['packages/onnx-graph/src/d.ts', '@tensorflow/tfjs', 'tfjs is injected'],
  ['packages/adapter-onnxruntime/src/a.ts', '@sluice/onnx-graph', null],
  ['packages/adapter-onnxruntime/src/b.ts', '@sluice/adapter-tfjs', 'directions of packages/adapter-[^/]+'],
  ['packages/adapter-onnxruntime/src/c.ts', '@sluice/bundle', 'directions of packages/adapter-[^/]+'],
  ['packages/adapter-onnxruntime/src/d.ts', 'onnxruntime-node', null],
  ['packages/adapter-onnxruntime/src/e.ts', '@tensorflow/tfjs', 'tfjs is injected'],
  ['packages/adapter-tfjs/src/index.ts', 'onnxruntime-node', 'onnxruntime is injected'],
  ['packages/training/src/index.ts', '@sluice/onnx-graph', null],
  ['packages/training/src/b.ts', '@sluice/adapter-onnxruntime', 'directions of packages/training'],
  ['packages/conformance/src/index.ts', '@sluice/core', null],
  ['packages/conformance/src/b.ts', '@sluice/onnx-graph', 'directions of packages/conformance'],
  ['packages/bundle/src/index.ts', 'zod', null],
  ['packages/bundle/src/b.ts', 'undeclared', 'undeclared package'],
  ['packages/bundle/src/c.ts', '../../core/src/index.ts', 'by name'],
  ['packages/bundle/src/d.ts', '../../../tooling/shared.ts', 'tooling is not published'],
  ['packages/bundle/src/d.test.ts', '../../../tooling/shared.ts', null],
  ['packages/bundle/src/e.ts', './absent.ts', 'unresolvable'],
  ['packages/bundle/src/f.ts', './g.ts', 'cycle'],
  ['packages/bundle/src/g.ts', './f.ts', null], // the other half of the cycle, which is reported once
  ['packages/datasets/src/index.ts', 'sharp', null],
  ['packages/newcomer/src/a.ts', '@sluice/core', 'unlisted workspace'],
  ['packages/training/src/c.ts', '@sluice/app-train', 'directions of packages/training'],
  ['apps/train/src/index.ts', '@sluice/training', null],
  ['apps/train/src/b.ts', '@sluice/app-bench', 'directions of apps/(?:train|serve|playground)'],
  ['apps/bench/src/index.ts', '@sluice/app-train', null],
  ['apps/cli/src/a.ts', '@sluice/app-bench', null],
  ['apps/cli/src/b.ts', 'onnxruntime-node', null],
]

const dependencies = { zod: '4', 'onnxruntime-node': '1', '@tensorflow/tfjs': '4' }
let root: string
let broken: { from: string; rule: { name: string } }[]

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-rules-'))
  for (const name of [...Object.keys(dependencies), 'sharp', 'undeclared']) {
    writeJson(`node_modules/${name}/package.json`, { name, exports: './dist/index.js' })
    write(`node_modules/${name}/dist/index.js`, 'export {}')
  }
  write('tooling/shared.ts', 'export {}')
  for (const folder of new Set(cases.map(([file]) => file.split('/').slice(0, 2).join('/')))) addWorkspace(folder)
  for (const [file, imported] of cases) write(file, `import '${imported}'\n`)
  broken = cruise()
})

afterAll(() => rmSync(root, { recursive: true }))

function write(file: string, text: string) {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

function writeJson(file: string, content: object) {
  write(file, JSON.stringify(content))
}

function addWorkspace(folder: string) {
  const name = `@sluice/${folder.replace('packages/', '').replace('apps/', 'app-')}`
  const optionalPeer = { peerDependencies: { sharp: '1' }, peerDependenciesMeta: { sharp: { optional: true } } }
  writeJson(`${folder}/package.json`, {
    name,
    type: 'module',
    exports: './src/index.ts',
    dependencies,
    ...optionalPeer,
  })
  write(`${folder}/src/index.ts`, 'export {}')
  mkdirSync(join(root, 'node_modules/@sluice'), { recursive: true })
  symlinkSync(resolve(root, folder), join(root, 'node_modules', name))
}

function cruise(): typeof broken {
  const args = [program, '--config', rules, '--output-type', 'json', 'packages', 'apps', 'tooling']
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  expect(stderr).toBe('')
  return JSON.parse(stdout).summary.violations
}

test.each(cases)('%s importing %s: %s', (file, _imported, rule) => {
  const names = broken.filter(({ from }) => from === file).map((violation) => violation.rule.name)
  if (rule === null) expect(names).toEqual([])
  else expect(names).toContain(rule)
})
