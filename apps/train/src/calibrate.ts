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
import type { BundleManifest, CalibrationRecord, JsonObject, PolicyFamily, StagedModel } from '@sluice/core'
import type { Dataset } from '@sluice/datasets'
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
   * those that follow. Returns the index of the one to keep. When absent, `cost` decides.
   */
  readonly trial?: (candidates: readonly BundleManifest[]) => Promise<number>
  readonly search: ThresholdSearch
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
  readonly warnings: readonly string[]
}

/**
 * Chooses on one pass over the data which of a bundle's gates stay on and with which thresholds. A gate that does not
 * earn its own cost is turned off. Nothing is written.
 */
export async function calibrate(options: CalibrateOptions): Promise<CalibrationResult> {
  const { model, manifest, dataset, family, cost, trial } = options
  const cache = await collectScores(model, manifest, dataset, options)
  const parameters = fitGateParameters(cache, family)
  const table = createExitTable(cache, family, parameters, cost)
  const reference = cache.labels === null ? 'full-network' : 'labels'
  const describe = (choice: GateChoice) => describeResult(choice, { table, parameters, reference }, options)
  if (trial === undefined) return describe(chooseByCost(table, options))
  const results = listChoices(table, options).map(describe)
  return results[await trial(results.map((result) => result.manifest))] as CalibrationResult
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
  const none: GateChoice = {
    standing: [],
    point: evaluateThresholds(selectGates(table, []), []),
    met: false,
    warnings: describeSampleSize(table.samples),
  }
  const some = proposePlacements(table, { maxDrop, maxGates: mostGatesTried }).map((standing) => ({
    standing,
    ...searchThresholds(selectGates(table, standing), { maxDrop, search }),
  }))
  return [none, ...some]
}

/** What gates and thresholds are chosen on. */
interface TuningData {
  readonly table: ExitTable
  /** The policy's, one per gate. */
  readonly parameters: readonly JsonObject[]
  readonly reference: CalibrationRecord['reference']
}

/** The manifest and record of a choice; what it saves is counted in MACs, whatever it was chosen by. */
function describeResult(
  { standing, point, met, warnings }: GateChoice,
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
    target: { maxDrop: options.maxDrop, confidence: null },
    reference,
    cost: options.costKind,
    measured: {
      accuracy: inMacs.accuracy,
      drop: inMacs.drop,
      macsPerSample: inMacs.cost,
      macsSaved: inMacs.saved,
      exitShares: [...manifest.stages.keys()].map((stage) => shareOfStage(stage, standing, inMacs, manifest)),
    },
    guarantee: null,
  }
  const calibrated = setThresholds(manifest, family.name, parameters, thresholds, record)
  return { manifest: calibrated, record, thresholds, met, warnings }
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
