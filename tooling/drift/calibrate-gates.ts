import {
  countPathLosses,
  createExitTable,
  createLevelPath,
  type ExitCost,
  type ExitTable,
  fitGateParameters,
  type LevelPath,
  learnThenTest,
  type RiskTarget,
  type ScoreCache,
  selectCachedSamples,
} from '@sluice/calibration'
import type { PolicyFamily } from '@sluice/core'

/** Gates with a guarantee of how often they disagree with the full network. */
export interface CalibratedGates {
  readonly path: LevelPath
  readonly thresholds: readonly number[]
  /** What the gates make of samples; labels are ignored. */
  createTable(cache: ScoreCache): ExitTable
}

/** Lays the path on the first half of the samples and certifies a step of it on the second. */
export function calibrateGates(
  cache: ScoreCache,
  family: PolicyFamily,
  cost: ExitCost,
  target: RiskTarget,
): CalibratedGates {
  const unlabelled = { ...cache, labels: null }
  const half = Math.floor(cache.final.rows / 2)
  const tuning = selectCachedSamples(unlabelled, rowsBetween(0, half))
  const parameters = fitGateParameters(tuning, family)
  const createTable = (part: ScoreCache) => createExitTable({ ...part, labels: null }, family, parameters, cost)
  const path = createLevelPath(createTable(tuning))
  const calibration = createTable(selectCachedSamples(unlabelled, rowsBetween(half, cache.final.rows)))
  const step = learnThenTest(countPathLosses(calibration, path).harmed, calibration.samples, target)
  return { path, thresholds: path.thresholds.map((values) => values[step] as number), createTable }
}

/** The rows from `start` up to, but not, `end`. */
export function rowsBetween(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: end - start }, (_, index) => start + index)
}
