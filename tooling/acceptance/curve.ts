import { writeFile } from 'node:fs/promises'
import { createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { type ChartSeries, drawLineChart } from '@sluice/app-bench'
import { collectScores, countMacsCost, findPolicyFamily } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import {
  createExitTable,
  createLevelPath,
  evaluateLevelPath,
  fitGateParameters,
  type OperatingPoint,
} from '@sluice/calibration'
import { openDataset } from '@sluice/datasets/node'

/** One curve of the picture. */
export interface CurveRequest {
  readonly name: string
  readonly bundle: string
  readonly policy: string
  readonly color: string
}

/** Accuracy against MACs of bundles: every operating point was chosen on one half of the test split and judged on the other. */
export async function drawAccuracyCurves(
  requests: readonly CurveRequest[],
  tuning: string,
  judging: string,
  file: string | URL,
): Promise<void> {
  const series: ChartSeries[] = []
  let full: { readonly x: number; readonly y: number } | null = null
  for (const request of requests) {
    const { points, macs } = await judgePath(request, tuning, judging)
    const megaMacs = (saved: number) => ((1 - saved) * macs) / 1e6
    series.push({
      name: request.name,
      color: request.color,
      points: points.map(({ saved, accuracy }) => ({ x: megaMacs(saved), y: 100 * accuracy })),
    })
    full ??= { x: macs / 1e6, y: 100 * (points[0]?.fullAccuracy ?? 0) }
  }
  series.push({ name: 'ResNet-56, every layer', color: '#888888', marker: true, points: full === null ? [] : [full] })
  const title = 'Accuracy of a gated ResNet-56 on CIFAR-10 against MACs per image'
  await writeFile(file, drawLineChart({ title, xLabel: 'million MACs per image', yLabel: 'accuracy (%)', series }))
}

/** Operating points of a bundle chosen on one part of the data and judged on another, and the MACs of its network. */
export async function judgePath(
  { bundle: path, policy }: Pick<CurveRequest, 'bundle' | 'policy'>,
  tuning: string,
  judging: string,
) {
  const bundle = await openBundleFolder(path)
  const { manifest } = bundle
  const model = await createOnnxRuntimeBackend().load(bundle)
  try {
    const cost = countMacsCost(manifest)
    const family = findPolicyFamily(policy)
    const seen = await collectScores(model, manifest, await openDataset(tuning))
    const unseen = await collectScores(model, manifest, await openDataset(judging))
    const parameters = fitGateParameters(seen, family)
    const levels = createLevelPath(createExitTable(seen, family, parameters, cost))
    const points = evaluateLevelPath(createExitTable(unseen, family, parameters, cost), levels)
    return { points: points.filter(isWorthShowing), macs: manifest.macs }
  } finally {
    await model.dispose()
  }
}

/** Beyond a tenth of accuracy lost nobody operates a network. */
function isWorthShowing({ drop }: OperatingPoint): boolean {
  return drop <= 10
}
