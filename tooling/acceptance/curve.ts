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

/** What a picture of curves says of itself. */
export interface CurvePicture {
  readonly title: string
  /** The network without gates. */
  readonly network: string
}

/** Accuracy against MACs of bundles: every operating point was chosen on one half of the test split and judged on the other. */
export async function drawAccuracyCurves(
  picture: CurvePicture,
  requests: readonly CurveRequest[],
  tuning: string,
  judging: string,
  file: string | URL,
): Promise<void> {
  const curves: JudgedCurve[] = []
  for (const request of requests) curves.push({ ...request, ...(await judgePath(request, tuning, judging)) })
  await writeFile(file, drawJudgedCurves(picture, curves))
}

/** Operating points on unseen samples, under a name and in a colour. */
export interface JudgedCurve extends Pick<CurveRequest, 'name' | 'color'>, JudgedPath {}

/** The curves as an SVG, with the first one's network without gates as a point. */
export function drawJudgedCurves({ title, network }: CurvePicture, curves: readonly JudgedCurve[]): string {
  const series = curves.map(({ name, color, points, macs }): ChartSeries => {
    return {
      name,
      color,
      points: points.map(({ saved, accuracy }) => ({ x: ((1 - saved) * macs) / 1e6, y: 100 * accuracy })),
    }
  })
  const full = curves
    .slice(0, 1)
    .map(({ points, macs }) => ({ x: macs / 1e6, y: 100 * (points[0]?.fullAccuracy ?? 0) }))
  series.push({ name: network, color: '#888888', marker: true, points: full })
  return drawLineChart({ title, xLabel: 'million MACs per image', yLabel: 'accuracy (%)', series })
}

/** What a bundle does along its path of thresholds. */
export interface JudgedPath {
  readonly points: readonly OperatingPoint[]
  /** Of the network without gates, per image. */
  readonly macs: number
}

/** Operating points of a bundle chosen on one part of the data and judged on another, and the MACs of its network. */
export async function judgePath(
  { bundle: path, policy }: Pick<CurveRequest, 'bundle' | 'policy'>,
  tuning: string,
  judging: string,
): Promise<JudgedPath> {
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
