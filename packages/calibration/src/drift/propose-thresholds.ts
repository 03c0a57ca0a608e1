import { InvalidArgumentError, ShapeMismatchError } from '@sluice/core'
import type { ExitTable } from '../exit-table.ts'
import { controlConformalRisk, learnThenTest } from '../guarantee/control-risk.ts'
import { countPathLosses } from '../guarantee/path-losses.ts'
import type { LevelPath } from '../level-path.ts'

/** What safer thresholds are chosen by. */
export interface SaferThresholdsOptions {
  /** The thresholds in force, one per gate, finite: a gate that is off is in neither table nor path (`selectGates`). */
  readonly thresholds: readonly number[]
  /** The risk may be this at most, 0..1. */
  readonly bound: number
  /** Chance that it is, over the draw of the audited rows, 0..1. When absent the bound holds on average over that draw. */
  readonly confidence?: number | undefined
}

/** Thresholds that audited rows allow. */
export interface ThresholdProposal {
  /** Of the path; at 0 nothing fires. */
  readonly step: number
  /** One per gate, none below the one in force. */
  readonly thresholds: readonly number[]
  /** Audited rows that would have a loss under them. */
  readonly losses: number
}

/**
 * The boldest step of the path, none bolder than the thresholds in force, at which audited rows show a risk of at most
 * the bound: by Learn then Test where a confidence is asked for ({@link learnThenTest}), else by conformal risk control
 * ({@link controlConformalRisk}). It holds for rows like the audited ones; so pass only such as came after the change,
 * e.g. the last `recentAudits` of an alarm. Calibration samples from before the change say nothing about them and are
 * left out.
 *
 * With too few rows nothing fires: it takes at least `1 / bound - 1`, and `countSamplesNeeded` with a confidence. Rows
 * are quick to come by then, as all of them reach the end.
 *
 * @param audited the exit scores of audited rows at every gate and where these agree with the full network, e.g. by
 * `createExitTable` from a score cache without labels
 * @param path made from other samples
 * @throws ShapeMismatchError when table, path and thresholds have different numbers of gates
 * @throws InvalidArgumentError for a threshold that is not finite, a bound or confidence outside 0..1, or a table whose
 * rows are answered otherwise at the end
 * @throws SluiceError of `checkExitTable`
 */
export function proposeSaferThresholds(
  audited: ExitTable,
  path: LevelPath,
  { thresholds, bound, confidence }: SaferThresholdsOptions,
): ThresholdProposal {
  if (audited.endRight !== undefined) {
    throw new InvalidArgumentError(
      'The audited rows are answered otherwise than by the full network at the end too, which no threshold makes safer. Calibrate again with --confidence, which leaves the end alone.',
    )
  }
  const gates = audited.gates.length
  if (path.thresholds.length !== gates)
    throw new ShapeMismatchError('path.thresholds', [path.thresholds.length], [gates])
  if (thresholds.length !== gates) throw new ShapeMismatchError('thresholds', [thresholds.length], [gates])
  const end = findBoldestStep(path, thresholds) + 1
  const { harmed, everHarmed } = countPathLosses(audited, path)
  const step =
    confidence === undefined
      ? controlConformalRisk(everHarmed.subarray(0, end), audited.samples, bound)
      : learnThenTest(harmed.subarray(0, end), audited.samples, { bound, confidence })
  return {
    step,
    thresholds: path.thresholds.map((values) => values[step] as number),
    losses: harmed[step] as number,
  }
}

/** The last step at which no gate fires below its threshold in force. */
function findBoldestStep(path: LevelPath, thresholds: readonly number[]): number {
  const gate = thresholds.findIndex((threshold) => !Number.isFinite(threshold))
  if (gate >= 0) {
    throw new InvalidArgumentError(
      `The threshold of gate ${gate} is ${thresholds[gate]}; pass the finite one in force, and leave out gates that are off.`,
    )
  }
  const isAllowed = (step: number) =>
    thresholds.every((threshold, index) => (path.thresholds[index]?.[step] as number) >= threshold)
  let step = 0
  while (step + 1 < path.steps && isAllowed(step + 1)) step++
  return step
}
