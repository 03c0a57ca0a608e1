// The acceptance on real data: `npm run acceptance [-- --write]`. Prints a table; `--write` puts it into the README.
// Fails when a row of accuracy, MACs or equality is missed; rows of time are printed only, since machines differ.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectedSharedFolder, sharedFolder } from '../shared.ts'
import { checkComparison } from './compare.ts'
import { drawAccuracyCurves } from './curve.ts'
import { checkEquality } from './equality.ts'
import { checkFusedEquality } from './fused-equality.ts'
import { writeReadmeTable } from './readme-table.ts'
import type { AttachAnswer, BenchAnswer, CalibrateAnswer, EvaluateAnswer, InspectAnswer } from './sluice-answers.ts'
import { runSluice } from './sluice-process.ts'
import { type AcceptanceRow, atLeast, atMost, formatAcceptance, state } from './table.ts'

const shared = requireSharedFolder()
const model = join(shared, 'models/resnet56.onnx')
const cifar10 = `cifar10:${join(shared, 'data/cifar-10-batches-bin')}`
const trainingData = `${cifar10}?split=train`
/** Half of the test split chooses thresholds, the other half judges them. */
const tuningHalf = `${cifar10}?split=test&shuffle=0&limit=5000`
const judgingHalf = `${cifar10}?split=test&shuffle=0&skip=5000`
const batchSizes = [1, 16, 64]
const normalisation = ['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225']

/** GMACs at batch 1, 3x224x224. Source: the design's cost convention; torchvision's documented multiply-adds. */
const publishedGmacs = {
  resnet18: 1.814073,
  resnet50: 4.089184,
  resnet101: 7.801405,
  densenet201: 4.291366,
  mobilenet_v2: 0.300774,
  vit_b_16: 17.563828,
} as const

const folder = await mkdtemp(join(tmpdir(), 'sluice-acceptance-'))
try {
  const rows = [...(await checkInspect()), ...(await checkGates(folder))]
  const table = formatAcceptance(rows)
  process.stdout.write(`${table}\n`)
  if (process.argv.includes('--write')) await writeReadmeTable('acceptance', table)
  if (rows.some(({ isMet, kind }) => kind === 'checked' && !isMet)) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}

async function checkInspect(): Promise<AcceptanceRow[]> {
  const rows: AcceptanceRow[] = []
  for (const [name, gmacs] of Object.entries(publishedGmacs)) {
    const { json } = await runSluice<InspectAnswer>(['inspect', join(shared, `skeletons/${name}.onnx`)])
    const error = Math.abs(json.macs / (gmacs * 1e9) - 1)
    rows.push(atMost(`inspect ${name}: MACs against ${gmacs} G, relative error`, error, 0.001, 'checked'))
    if (name === 'resnet101')
      rows.push(atLeast('inspect resnet101: block outputs among the cuts', countBlockCuts(json), 33, 'checked'))
  }
  return rows
}

/** ResNet-101 has 3 + 4 + 23 + 3 blocks of 256, 512, 1024 and 2048 channels; each ends in the only wide ReLU of its block. */
function countBlockCuts({ cuts }: InspectAnswer): number {
  const atBlocks = cuts.filter(({ tensor, shape }) => (shape[0] ?? 0) >= 256 && /relu/i.test(tensor))
  return new Set(atBlocks.map(({ tensor }) => tensor)).size
}

async function checkGates(folder: string): Promise<AcceptanceRow[]> {
  const mlp = join(folder, 'mlp')
  const linear = join(folder, 'linear')
  const convolutional = join(folder, 'convolutional')
  const rows = [
    ...(await attach(mlp, 'mlp', ['--head', 'mlp'])),
    ...(await checkEquality({ bundle: mlp, model, data: `${cifar10}?split=test` })),
  ]
  await cp(mlp, join(folder, 'time'), { recursive: true })
  const byMacs = await judge(mlp, 'MLP heads', ['--max-drop', '1'], 0.42)
  rows.push(...byMacs.rows)
  rows.push(...(await checkFusedEquality(mlp, `${cifar10}?split=test`)))
  rows.push(...(await attach(linear, 'linear hinge', ['--head', 'linear', '--loss', 'hinge'])))
  const { rows: linearRows } = await judge(linear, "the paper's linear hinge gates", ['--max-drop', '1'], 0.3)
  rows.push(...linearRows)
  // Time and memory of a fit are asked of the default heads alone.
  await attach(convolutional, 'convolutional, with copies', ['--head', 'conv', '--copies', '2', '--memory', '10'])
  rows.push(...(await checkComparison(convolutional, `${cifar10}?split=test`)))
  rows.push(...(await checkTimes({ bundle: mlp, thresholds: byMacs.thresholds }, join(folder, 'time'))))
  if (process.argv.includes('--write')) {
    const curves = [
      { name: 'MLP heads, softmax', bundle: mlp, policy: 'softmax', color: '#3b82f6' },
      { name: 'linear hinge heads, margin', bundle: linear, policy: 'margin-difference', color: '#f97316' },
    ]
    await drawAccuracyCurves(
      { title: 'Accuracy of a gated ResNet-56 on CIFAR-10 against MACs per image', network: 'ResNet-56, every layer' },
      curves,
      tuningHalf,
      judgingHalf,
      new URL('../../docs/accuracy-macs.svg', import.meta.url),
    )
  }
  return rows
}

async function attach(bundle: string, name: string, options: readonly string[]): Promise<AcceptanceRow[]> {
  const args = [
    'attach',
    model,
    '--data',
    trainingData,
    '--out',
    bundle,
    '--gates',
    'auto',
    ...normalisation,
    ...options,
  ]
  const { json, peakMemoryBytes } = await runSluice<AttachAnswer>(args)
  const gates = json.gates.map(({ share }) => share.toFixed(2)).join(', ')
  process.stderr.write(`attach ${name}: gates at ${gates} of the MACs, ${JSON.stringify(json.seconds)}\n`)
  const { total, plainForward } = json.seconds
  return [
    atMost(`attach, ${name}: total time / plain forward pass`, total / plainForward, 1.6, 'printed'),
    atMost(`attach, ${name}: peak memory`, peakMemoryBytes / 2 ** 30, 3, 'printed', ' GiB'),
  ]
}

async function judge(
  bundle: string,
  name: string,
  options: readonly string[],
  macsSaved: number | null,
): Promise<CalibrateAnswer & { readonly rows: AcceptanceRow[] }> {
  const { thresholds } = (await runSluice<CalibrateAnswer>(['calibrate', bundle, '--data', tuningHalf, ...options]))
    .json
  const { json } = await runSluice<EvaluateAnswer>(['evaluate', bundle, '--data', judgingHalf])
  const rows = [atMost(`${name}: drop on the unseen half`, json.drop, 1.3, 'checked', ' points')]
  if (macsSaved !== null) rows.push(atLeast(`${name}: MACs saved`, json.macsSaved, macsSaved, 'checked'))
  return { rows, thresholds }
}

interface CalibratedBundle extends CalibrateAnswer {
  readonly bundle: string
}

/**
 * Benches the gates chosen by MACs at every batch size, and at each size the gates chosen by time at that size, in the same
 * rounds as those by MACs.
 */
async function checkTimes(macs: CalibratedBundle, timeBundle: string): Promise<AcceptanceRow[]> {
  const byMacs = await benchBundle(macs.bundle, batchSizes.join(), ['--fused'])
  const rows: AcceptanceRow[] = []
  const described: AcceptanceRow[] = []
  for (const size of batchSizes) {
    const options = ['--max-drop', '1', '--cost', 'time', '--batch', String(size)]
    const { rows: judged, thresholds } = await judge(timeBundle, `calibrated by time at batch ${size}`, options, null)
    const differing = thresholds.filter((threshold, gate) => threshold !== macs.thresholds[gate]).length
    const comparison = `calibrated by time at batch ${size}: gates with another threshold, or off, than by MACs`
    rows.push(...judged, state(comparison, differing))
    const byTime = await benchBundle(timeBundle, String(size), ['--against', macs.bundle])
    described.push(...describeBench('calibrated by time', byTime), ...compareCosts(byTime, differing === 0))
  }
  return [
    ...rows,
    ...describeHinted(byMacs),
    ...describeBench('calibrated by MACs', byMacs),
    ...describeFused(byMacs),
    ...described,
  ]
}

/** Gates chosen by time beside those chosen by MACs; nothing is to be compared where these are the very same. */
function compareCosts(byTime: BenchAnswer['batch'], areSame: boolean): AcceptanceRow[] {
  return byTime.flatMap(({ size, timeSaved, against }) => {
    if (against === undefined) return []
    const what = `bench, batch ${size}: timeSaved by --cost time, against --cost macs`
    if (areSame) return [state(`${what} (the same gates and thresholds)`, timeSaved)]
    return [atLeast(`${what}, in the same rounds`, timeSaved, against.timeSaved, 'printed')]
  })
}

/** How much of the time saved the plain network would save, too, were its file rewritten as the stages are. */
function describeHinted(batches: BenchAnswer['batch']): AcceptanceRow[] {
  return batches.flatMap(({ size, full, fullHinted }) => {
    const what = `bench at batch ${size}: plain network with the layout hints / as its file stands`
    return fullHinted === undefined ? [] : [state(what, fullHinted.median / full.median)]
  })
}

function describeBench(name: string, batches: BenchAnswer['batch']): AcceptanceRow[] {
  return batches.flatMap(({ size, timeSaved, idealTimeSaved, overhead }) => {
    const what = `${name}, bench at batch ${size}`
    const share = atLeast(
      `${what}: timeSaved / idealTimeSaved`,
      timeSaved / idealTimeSaved,
      size === 1 ? 0.85 : 0.92,
      'printed',
    )
    return size === 1 ? [share] : [share, atMost(`${what}: overhead when nothing exits`, overhead, 0.02, 'printed')]
  })
}

/** The one-file network beside the stages, one by one and in the backend's one call. */
function describeFused(batches: BenchAnswer['batch']): AcceptanceRow[] {
  return batches.flatMap(({ size, timeSaved, idealTimeSaved, staged, fused }) => {
    if (staged === undefined || fused === undefined) return []
    const what = `calibrated by MACs, one file, bench at batch ${size}`
    const target =
      size === 1
        ? atLeast(`${what}: timeSaved, against stage by stage`, fused.timeSaved, staged.timeSaved, 'printed')
        : atLeast(`${what}: timeSaved / idealTimeSaved`, fused.timeSaved / idealTimeSaved, 0.95, 'printed')
    return [
      atMost(`${what}: overhead when nothing exits`, fused.overhead, 0.02, 'printed'),
      target,
      state(`${what}: timeSaved less that of the backend's one call`, fused.timeSaved - timeSaved),
    ]
  })
}

async function benchBundle(
  bundle: string,
  sizes: string,
  options: readonly string[] = [],
): Promise<BenchAnswer['batch']> {
  const args = ['bench', bundle, '--data', judgingHalf, '--batch', sizes, ...options]
  const { json } = await runSluice<BenchAnswer>(args)
  process.stderr.write(`bench ${sizes}: ${JSON.stringify(json.batch)}\n`)
  return json.batch
}

function requireSharedFolder(): string {
  const path = sharedFolder()
  if (path !== null) return path
  throw new Error(`The acceptance needs the data in ${expectedSharedFolder}; set SLUICE_SHARED to their folder.`)
}
