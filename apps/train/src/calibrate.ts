import {
  choosePlacement,
  createExitTable,
  describeSampleSize,
  type ExitCost,
  type ExitTable,
  evaluateThresholds,
  fitGateParameters,
  type OperatingPoint,
  proposePlacements,
  searchThresholds,
  selectGates,
  type ThresholdSearch,
} from '@sluice/calibration'
import type {
  BundleManifest,
  CalibrationGuarantee,
  CalibrationRecord,
  JsonObject,
  PolicyFamily,
  StagedModel,
} from '@sluice/core'
import { type Dataset, pickSamples } from '@sluice/datasets'
import { certify, checkConfidence, splitSamples } from './guarantee.ts'
import type { WorkOptions } from './progress.ts'
import { collectScores } from './score-cache.ts'

export interface CalibrateOptions extends WorkOptions {
  readonly model: StagedModel
  readonly manifest: BundleManifest
  readonly dataset: Dataset
  readonly family: PolicyFamily
  /** Points of accuracy (or of agreement, without labels) that may be lost. */
  readonly maxDrop: number
  /** Judge against the full network's answers even where there are labels. */
  readonly ignoreLabels: boolean
  /** What is minimised; {@link countMacsCost}, or milliseconds measured on this machine. */
  readonly cost: ExitCost
  readonly costKind: CalibrationRecord['cost']
  /**
   * Decides by running them between manifests that differ in which gates are on: none in the first one, more and more in
   * those that follow. Returns the index of the one to keep. When absent, `cost` decides. Samples that are to certify are
   * not among the data it gets.
   */
  readonly trial?: (candidates: readonly BundleManifest[], data: Dataset) => Promise<number>
  readonly search: ThresholdSearch
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
  const { model, manifest, dataset, family, cost, trial } = options
  checkConfidence(options)
  const cache = await collectScores(model, manifest, dataset, options)
  const { tuning, tuningRows, calibration } = splitSamples(cache, options)
  const parameters = fitGateParameters(tuning, family)
  const table = createExitTable(tuning, family, parameters, cost)
  const reference = cache.labels === null ? 'full-network' : 'labels'
  const data = { table, parameters, reference } as const
  const describe = (choice: GateChoice) => describeResult(choice, data, options)
  const choices = trial === undefined ? [chooseByCost(table, options)] : listChoices(table, options)
  const results = choices.map(describe)
  const manifests = results.map((result) => result.manifest)
  const chosen = trial === undefined ? 0 : await trial(manifests, pickSamples(dataset, tuningRows))
  if (calibration === null) return results[chosen] as CalibrationResult
  const unseen = createExitTable(calibration, family, parameters, cost)
  return describe(certifyChoice(choices[chosen] as GateChoice, table, unseen, options))
}

/** MACs of each stage and head: the cost that thresholds minimise by default. */
export function countMacsCost({ stages }: Pick<BundleManifest, 'stages'>): ExitCost {
  return { backbone: stages.map(({ macs }) => macs.backbone), head: stages.slice(0, -1).map(({ macs }) => macs.head) }
}

/** Gates that may fire, ascending, and an operating point with a threshold for each of them. */
interface GateChoice {
  readonly standing: readonly number[]
  readonly point: OperatingPoint
  readonly met: boolean
  readonly warnings: readonly string[]
  readonly guarantee?: Omit<CalibrationGuarantee, 'risk'>
}

/** The gates and thresholds that cost least. */
function chooseByCost(table: ExitTable, { maxDrop, search }: CalibrateOptions): GateChoice {
  const { gates, ...placement } = choosePlacement(table, { maxDrop })
  if (!placement.met) return { standing: gates, ...placement }
  return { standing: gates, ...searchThresholds(selectGates(table, gates), { maxDrop, search }) }
}

/** More gates than this have never been faster, and all candidates are in memory at once. */
const mostGatesTried = 6

/** No gate, then the likeliest sets of each size, thresholds chosen. */
function listChoices(table: ExitTable, { maxDrop, search }: CalibrateOptions): GateChoice[] {
  const some = proposePlacements(table, { maxDrop, maxGates: mostGatesTried }).map((standing) => ({
    standing,
    ...searchThresholds(selectGates(table, standing), { maxDrop, search }),
  }))
  return [chooseNothing(table), ...some]
}

/** The same gates at the most aggressive level that unseen samples show to be within the target; off where there is none. */
function certifyChoice(
  { standing, warnings }: GateChoice,
  table: ExitTable,
  unseen: ExitTable,
  { maxDrop, confidence = 0 }: CalibrateOptions,
): GateChoice {
  const tuning = selectGates(table, standing)
  const target = { bound: maxDrop / 100, confidence }
  const { thresholds, guarantee, warnings: more } = certify(tuning, selectGates(unseen, standing), target)
  const allWarnings = [...warnings, ...more]
  if (guarantee === undefined) return { ...chooseNothing(table), warnings: allWarnings }
  const point = evaluateThresholds(tuning, thresholds)
  if (point.saved > 0) return { standing, point, met: true, guarantee, warnings: allWarnings }
  const idle =
    'What can be certified saves nothing, so all gates stay off. Allow a larger --max-drop, or pass more data.'
  return { ...chooseNothing(table), warnings: [...allWarnings, idle] }
}

function chooseNothing(table: ExitTable): GateChoice {
  return {
    standing: [],
    point: evaluateThresholds(selectGates(table, []), []),
    met: false,
    warnings: describeSampleSize(table.samples),
  }
}

/** What gates and thresholds are chosen on. */
interface TuningData {
  readonly table: ExitTable
  /** The policy's, one per gate. */
  readonly parameters: readonly JsonObject[]
  readonly reference: CalibrationRecord['reference']
}

const risks = { labels: 'accuracy-gap', 'full-network': 'disagreement' } as const

/** The manifest and record of a choice; what it saves is counted in MACs, whatever it was chosen by. */
function describeResult(
  { standing, point, met, warnings, guarantee }: GateChoice,
  { table, parameters, reference }: TuningData,
  { manifest, dataset, family, ...options }: CalibrateOptions,
): CalibrationResult {
  const thresholds = manifest.gates.map((_, gate) => {
    const threshold = point.thresholds[standing.indexOf(gate)] ?? Number.POSITIVE_INFINITY
    return threshold === Number.POSITIVE_INFINITY ? null : threshold
  })
  const inMacs = evaluateThresholds(
    selectGates({ ...table, cost: countMacsCost(manifest) }, standing),
    point.thresholds,
  )
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
  const calibrated = setThresholds(manifest, family.name, parameters, thresholds, record)
  return { manifest: calibrated, record, thresholds, met, tuningSamples: table.samples, warnings }
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

function setThresholds(
  manifest: BundleManifest,
  name: string,
  parameters: readonly JsonObject[],
  thresholds: readonly (number | null)[],
  calibration: CalibrationRecord,
): BundleManifest {
  const gates = manifest.gates.map((gate, index) => ({
    ...gate,
    policy: { name, parameters: parameters[index] ?? {}, threshold: thresholds[index] ?? null },
  }))
  return { ...manifest, gates, calibration }
}
