// How often a certified drop is exceeded on real scores: `npm run guarantees -- BUNDLE DATA`, e.g. a ResNet-56 bundle and
// "cifar10:DIR?split=test&shuffle=0". The first half of the data orders the thresholds; from the other half 1,000 random
// calibration sets are drawn, and what they certify is judged on all samples that they leave over.

import { parseArgs } from 'node:util'
import { createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { collectScores, countMacsCost, findPolicyFamily } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import {
  countPathLosses,
  createExitTable,
  createLevelPath,
  evaluateLevelPath,
  fitGateParameters,
  learnThenTest,
  selectCachedSamples,
  selectSamples,
} from '@sluice/calibration'
import { permute, sampleShapeOf } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'

const splits = 1000
const bounds = [0.01, 0.02]

const { positionals } = parseArgs({ allowPositionals: true })
const [path, spec] = positionals
if (path === undefined || spec === undefined) throw new Error('Usage: npm run guarantees -- BUNDLE DATA')

const bundle = await openBundleFolder(path)
const { manifest } = bundle
const family = findPolicyFamily(manifest.gates[0]?.policy.name ?? 'softmax')
const dataset = await openDataset(spec, { sampleShape: sampleShapeOf(manifest.input), classes: manifest.classes })
const model = await createOnnxRuntimeBackend().load(bundle)
const cache = await collectScores(model, manifest, dataset, { families: [family] })
await model.dispose()

const half = Math.floor(dataset.size / 2)
const rows = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, index) => from + index)
const tuning = selectCachedSamples(cache, rows(0, half))
const parameters = fitGateParameters(tuning, family)
const table = (part: typeof tuning) => createExitTable(part, family, parameters, countMacsCost(manifest))
const levels = createLevelPath(table(tuning))
const others = table(selectCachedSamples(cache, rows(half, dataset.size)))
const everywhere = countPathLosses(others, levels).harmed
const saved = evaluateLevelPath(others, levels).map((point) => point.saved)

process.stdout.write(
  '| bound | samples | 1 - confidence | exceeded | MACs saved | an oracle saves |\n|---|---|---|---|---|---|\n',
)
for (const bound of bounds) {
  const risks = Array.from(everywhere, (losses) => losses / others.samples)
  const oracle = Math.max(...saved.filter((_, step) => (risks[step] as number) <= bound))
  for (const samples of [100, 500, 2000]) {
    for (const delta of [0.1, 0.05]) {
      let exceeded = 0
      let sum = 0
      for (let split = 0; split < splits; split++) {
        const drawn = permute(others.samples, split).subarray(0, samples)
        const { harmed } = countPathLosses(selectSamples(others, drawn), levels)
        const step = learnThenTest(harmed, samples, { bound, confidence: 1 - delta })
        const left = (everywhere[step] as number) - (harmed[step] as number)
        if (left / (others.samples - samples) > bound) exceeded++
        sum += Math.max(0, step === 0 ? 0 : (saved[step] as number))
      }
      const percent = (share: number) => `${(100 * share).toFixed(1)} %`
      process.stdout.write(
        `| ${percent(bound)} | ${samples} | ${delta} | ${percent(exceeded / splits)} | ${percent(sum / splits)} | ${percent(oracle)} |\n`,
      )
    }
  }
}
