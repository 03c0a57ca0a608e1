// Whether the drift monitor keeps its word on real scores: `npm run drift -- BUNDLE DATA`, e.g. a ResNet-56 bundle and
// "cifar10:DIR?split=test&shuffle=0". The first half of the data calibrates the gates; from the other half, as it is,
// blurred, noisy, or with one class growing, come streams of 200,000 rows.

import { parseArgs } from 'node:util'
import { createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { collectScores, countMacsCost, findPolicyFamily } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import type { ScoreCache } from '@sluice/calibration'
import { sampleShapeOf, select } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'
import { checkDrift } from './check-drift.ts'
import { blur, corruptDataset, noise } from './corruptions.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const [path, spec] = positionals
if (path === undefined || spec === undefined) throw new Error('Usage: npm run drift -- BUNDLE DATA')

const bundle = await openBundleFolder(path)
const { manifest } = bundle
const family = findPolicyFamily(manifest.gates[0]?.policy.name ?? 'softmax')
const families = [family]
const dataset = await openDataset(spec, { sampleShape: sampleShapeOf(manifest.input), classes: manifest.classes })
const model = await createOnnxRuntimeBackend().load(bundle)
const clean = await collectScores(model, manifest, dataset, { families })
const streamed = select(dataset, { skip: Math.floor(dataset.size / 2) })
const corrupted = new Map<string, ScoreCache[]>()
for (const corruption of [blur, noise]) {
  const caches: ScoreCache[] = []
  for (const strength of corruption.strengths) {
    process.stderr.write(`${corruption.name} of strength ${strength}\n`)
    caches.push(await collectScores(model, manifest, corruptDataset(streamed, corruption, strength), { families }))
  }
  corrupted.set(corruption.name, caches)
}
await model.dispose()

const isKept = checkDrift({ clean, corrupted }, family, countMacsCost(manifest), (line) => {
  process.stdout.write(`${line}\n`)
})
if (!isKept) process.exitCode = 1
