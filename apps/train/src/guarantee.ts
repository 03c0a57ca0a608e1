import {
  checkGuarantee,
  countPathLosses,
  countSamplesNeeded,
  createLevelPath,
  type ExitTable,
  learnThenTest,
  type RiskTarget,
  type ScoreCache,
  selectCachedSamples,
  type ThresholdSearch,
} from '@sluice/calibration'
import { type CalibrationGuarantee, InvalidArgumentError } from '@sluice/core'
import { permute } from '@sluice/datasets'

/** @throws InvalidArgumentError for a confidence that cannot be promised, or a search or target that allows no promise */
export function checkConfidence(options: {
  readonly confidence?: number | undefined
  readonly search: ThresholdSearch
  readonly maxDrop: number
}): void {
  const { confidence, search, maxDrop } = options
  if (confidence === undefined) return
  if (search !== 'level') {
    throw new InvalidArgumentError(
      `The search '${search}' has no order of thresholds from safe to bold that could be tested; leave out --search, or --confidence.`,
    )
  }
  checkGuarantee({ bound: maxDrop / 100, confidence })
}

/** Scores of the samples that choose, which they are, and scores of those that certify. */
export interface SampleSplit {
  readonly tuning: ScoreCache
  /** Ascending. */
  readonly tuningRows: Uint32Array
  /** Null where nothing is to be certified. */
  readonly calibration: ScoreCache | null
}

/** The samples that choose, and those that certify, at random; all choose where nothing is to be certified. */
export function splitSamples(
  cache: ScoreCache,
  { confidence, seed }: { readonly confidence?: number | undefined; readonly seed: number },
): SampleSplit {
  const { rows } = cache.final
  if (confidence === undefined) {
    return { tuning: cache, tuningRows: Uint32Array.from({ length: rows }, (_, row) => row), calibration: null }
  }
  if (rows < 2) throw new InvalidArgumentError(`${rows} samples cannot both choose and certify; pass more data.`)
  const order = permute(rows, seed)
  const half = Math.ceil(rows / 2)
  const tuningRows = order.subarray(0, half).sort()
  return {
    tuning: selectCachedSamples(cache, tuningRows),
    tuningRows,
    calibration: selectCachedSamples(cache, order.subarray(half).sort()),
  }
}

/** Thresholds that hold on unseen samples, or none. */
export interface Certificate {
  /** One per gate; infinity where nothing could be certified. */
  readonly thresholds: readonly number[]
  /** Absent where nothing could be certified. */
  readonly guarantee?: Omit<CalibrationGuarantee, 'risk'>
  readonly warnings: readonly string[]
}

/** Tests the path of thresholds that the tuning samples order, on samples that had no part in it. */
export function certify(tuning: ExitTable, calibration: ExitTable, target: RiskTarget): Certificate {
  const thresholds = tuning.gates.map(() => Number.POSITIVE_INFINITY)
  const needed = countSamplesNeeded(target.bound, target.confidence)
  if (calibration.samples < needed)
    return { thresholds, warnings: [explainFewSamples(calibration.samples, needed, target)] }
  if (tuning.gates.length === 0) return { thresholds, warnings: [] }
  const path = createLevelPath(tuning)
  const { harmed } = countPathLosses(calibration, path)
  const step = learnThenTest(harmed, calibration.samples, target)
  if (step === 0) return { thresholds, warnings: [explainRisk(calibration.samples, target)] }
  return {
    thresholds: path.thresholds.map((steps) => steps[step] as number),
    guarantee: {
      bound: target.bound,
      samples: calibration.samples,
      losses: harmed[step] as number,
      tuningSamples: tuning.samples,
    },
    warnings: [],
  }
}

function explainFewSamples(samples: number, needed: number, target: RiskTarget): string {
  return `${samples} samples cannot certify ${describeTarget(target)}: at least ${needed} are needed, and as many to choose thresholds on, ${2 * needed} in all.`
}

function explainRisk(samples: number, target: RiskTarget): string {
  return `The ${samples} samples that certify do not show ${describeTarget(target)}, even for the safest thresholds. Allow a larger --max-drop, or pass more data.`
}

function describeTarget({ bound, confidence }: RiskTarget): string {
  return `a drop of at most ${100 * bound} points with confidence ${confidence}`
}
