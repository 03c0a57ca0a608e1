import { type ExitCost, evaluateThresholds, type OperatingPoint, type ScoreCache } from '@sluice/calibration'
import type {
  BundleManifest,
  CalibrationGuarantee,
  CalibrationRecord,
  GatePolicy,
  JsonObject,
  PolicyFamily,
  StagedModel,
} from '@sluice/core'
import { type Dataset, pickSamples } from '@sluice/datasets'
import {
  chooseExits,
  chooseNothing,
  createTuningSamples,
  type ExitChoice,
  type ExitTarget,
  listExitChoices,
  type ScoringOptions,
  type TuningSamples,
  tabulateGates,
} from './choose-exits.ts'
import { certify, checkConfidence, splitSamples } from './guarantee.ts'
import type { WorkOptions } from './progress.ts'
import { collectScores } from './score-cache.ts'

export interface CalibrateOptions extends WorkOptions, ScoringOptions, ExitTarget {
  readonly model: StagedModel
  readonly manifest: BundleManifest
  readonly dataset: Dataset
  /** Judge against the full network's answers even where there are labels. */
  readonly ignoreLabels: boolean
  readonly costKind: CalibrationRecord['cost']
  /**
   * Decides by running them between manifests that differ in which gates are on: none in the first one, more and more in
   * those that follow. Returns the index of the one to keep. When absent, `cost` decides. Samples that are to certify are
   * not among the data it gets.
   */
  readonly trial?: (candidates: readonly BundleManifest[], data: Dataset) => Promise<number>
  /**
   * Chance with which the drop is to stay within `maxDrop` on unseen samples, 0..1: half of the data then choose, the other
   * half certify. Nothing is promised when absent.
   */
  readonly confidence?: number | undefined
  /** Rows per run. */
  readonly batchSize: number
  readonly seed: number
}

/** Thresholds for every gate, and the manifest that holds them. */
export interface CalibrationResult {
  readonly manifest: BundleManifest
  readonly record: CalibrationRecord
  /** One per gate; null never fires. */
  readonly thresholds: readonly (number | null)[]
  /** False when no gate saves anything within the target: all gates are then off. */
  readonly met: boolean
  /** Samples that gates and thresholds were chosen on, and that the record's figures are measured on. */
  readonly tuningSamples: number
  readonly warnings: readonly string[]
}

/**
 * Chooses on one pass over the data which of a bundle's gates stay on and with which thresholds. A gate that does not
 * earn its own cost is turned off. Nothing is written.
 */
export async function calibrate(options: CalibrateOptions): Promise<CalibrationResult> {
  const { model, manifest, dataset, trial } = options
  checkConfidence(options)
  if (options.confidence !== undefined && options.family.end !== undefined) {
    return calibrate({ ...options, family: leaveEndAlone(options.family) })
  }
  const cache = await collectScores(model, manifest, dataset, { ...options, families: [options.family] })
  const { tuning: tuningCache, tuningRows, calibration } = splitSamples(cache, options)
  const tuning = createTuningSamples(tuningCache, options)
  const describe = (choice: CertifiedChoice) => describeResult(choice, tuning, options)
  const choices = trial === undefined ? [chooseExits(tuning, options)] : listExitChoices(tuning, options)
  const results = choices.map(describe)
  const manifests = results.map((result) => result.manifest)
  const chosen = trial === undefined ? 0 : await trial(manifests, pickSamples(dataset, tuningRows))
  if (calibration === null) return results[chosen] as CalibrationResult
  return describe(certifyChoice(choices[chosen] as ExitChoice, tuning, calibration, options))
}

/** Harm at the end would count against what is to be certified, and what is gained there would not. */
function leaveEndAlone(family: PolicyFamily): PolicyFamily {
  const { end: _, ...others } = family
  return others
}

/** MACs of each stage and head: the cost that thresholds minimise by default. */
export function countMacsCost({ stages }: Pick<BundleManifest, 'stages'>): ExitCost {
  return { backbone: stages.map(({ macs }) => macs.backbone), head: stages.slice(0, -1).map(({ macs }) => macs.head) }
}

interface CertifiedChoice extends ExitChoice {
  readonly guarantee?: Omit<CalibrationGuarantee, 'risk'>
}

/** The same gates at the most aggressive level that unseen samples show to be within the target; off where there is none. */
function certifyChoice(
  choice: ExitChoice,
  tuning: TuningSamples,
  calibration: ScoreCache,
  options: CalibrateOptions,
): CertifiedChoice {
  const { table } = tuning.fitGates(choice.standing)
  const unseen = tabulateGates(calibration, choice, options)
  const target = { bound: options.maxDrop / 100, confidence: options.confidence ?? 0 }
  const { thresholds, guarantee, warnings: more } = certify(table, unseen, target)
  const warnings = [...choice.warnings, ...more]
  if (guarantee === undefined) return { ...chooseNothing(tuning), warnings }
  const point = evaluateThresholds(table, thresholds)
  if (point.saved > 0) return { ...choice, point, met: true, guarantee, warnings }
  const idle =
    'What can be certified saves nothing, so all gates stay off. Allow a larger --max-drop, or pass more data.'
  return { ...chooseNothing(tuning), warnings: [...warnings, idle] }
}

const risks = { labels: 'accuracy-gap', 'full-network': 'disagreement' } as const

/** The manifest and record of a choice; what it saves is counted in MACs, whatever it was chosen by. */
function describeResult(
  choice: CertifiedChoice,
  { cache }: TuningSamples,
  { manifest, dataset, family, ...options }: CalibrateOptions,
): CalibrationResult {
  const { standing, point, met, warnings, guarantee } = choice
  const reference = cache.labels === null ? 'full-network' : 'labels'
  const inMacs = evaluateThresholds(
    tabulateGates(cache, choice, { family, cost: countMacsCost(manifest) }),
    point.thresholds,
  )
  const chosen = applyExitChoice(manifest, choice, family)
  const record: CalibrationRecord = {
    data: dataset.name,
    samples: dataset.size,
    seed: options.seed,
    target: { maxDrop: options.maxDrop, confidence: options.confidence ?? null },
    reference,
    cost: options.costKind,
    measured: {
      accuracy: inMacs.accuracy,
      drop: inMacs.drop,
      macsPerSample: inMacs.cost,
      macsSaved: inMacs.saved,
      exitShares: [...manifest.stages.keys()].map((stage) => shareOfStage(stage, standing, inMacs, manifest)),
    },
    guarantee: guarantee === undefined ? null : { risk: risks[reference], ...guarantee },
  }
  const thresholds = chosen.gates.map(({ policy }) => policy.threshold)
  const calibrated = { ...chosen, calibration: record }
  return { manifest: calibrated, record, thresholds, met, tuningSamples: cache.final.rows, warnings }
}

/** Share of the rows that leave at a stage of the bundle. */
function shareOfStage(
  stage: number,
  standing: readonly number[],
  { exitShares }: OperatingPoint,
  { stages }: BundleManifest,
) {
  if (stage === stages.length - 1) return exitShares.at(-1) ?? 0
  const gate = standing.indexOf(stage)
  return gate < 0 ? 0 : (exitShares[gate] ?? 0)
}

/** The manifest with the gates, parameters and thresholds of a choice, without a record of how they were chosen. */
export function applyExitChoice(manifest: BundleManifest, choice: ExitChoice, family: PolicyFamily): BundleManifest {
  const gates = manifest.gates.map((gate, index) => ({ ...gate, policy: describePolicy(index, choice, family) }))
  const { endParameters } = choice
  const endPolicy = endParameters === null ? undefined : { name: family.name, parameters: endParameters }
  return { ...manifest, gates, endPolicy, calibration: null }
}

/**
 * A gate's policy. A gate that is off leaves the network; one that never fires but that later gates look at has to stay,
 * so its threshold is one that no score reaches.
 */
function describePolicy(gate: number, { standing, parameters, point }: ExitChoice, family: PolicyFamily): GatePolicy {
  const index = standing.indexOf(gate)
  if (index < 0) return { name: family.name, parameters: {}, threshold: null }
  const threshold = point.thresholds[index] as number
  const isLookedAt = family.usesEarlierGates || family.end !== undefined
  const never = isLookedAt ? Number.MAX_VALUE : null
  return {
    name: family.name,
    parameters: parameters[index] as JsonObject,
    threshold: threshold === Number.POSITIVE_INFINITY ? never : threshold,
  }
}
