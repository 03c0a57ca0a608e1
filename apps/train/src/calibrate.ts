import {
  createExitTable,
  type ExitCost,
  fitGateParameters,
  searchThresholds,
  type ThresholdSearch,
} from '@sluice/calibration'
import type { BundleManifest, CalibrationRecord, JsonObject, PolicyFamily, StagedModel } from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { inputBatches } from './input-batches.ts'
import type { WorkOptions } from './progress.ts'
import { collectScores } from './score-cache.ts'
import { measureStageTimes } from './stage-times.ts'

export interface CalibrateOptions extends WorkOptions {
  readonly model: StagedModel
  readonly manifest: BundleManifest
  readonly dataset: Dataset
  readonly family: PolicyFamily
  /** Points of accuracy (or of agreement, without labels) that may be lost. */
  readonly maxDrop: number
  /** Judge against the full network's answers even where there are labels. */
  readonly ignoreLabels: boolean
  /** What is minimised: MACs, or milliseconds measured here. */
  readonly cost: 'macs' | 'time'
  readonly search: ThresholdSearch
  /** Rows of the batch on which time is measured. */
  readonly batchSize: number
  readonly seed: number
}

/** Thresholds for every gate, and the manifest that holds them. */
export interface CalibrationResult {
  readonly manifest: BundleManifest
  readonly record: CalibrationRecord
  /** One per gate; null never fires. */
  readonly thresholds: readonly (number | null)[]
  /** False when no thresholds meet the target: all gates are then off. */
  readonly met: boolean
  readonly warnings: readonly string[]
}

/** Chooses a bundle's thresholds on one pass over the data. Nothing is written. */
export async function calibrate(options: CalibrateOptions): Promise<CalibrationResult> {
  const { model, manifest, dataset, family, maxDrop, search } = options
  const cache = await collectScores(model, manifest, dataset, options)
  const parameters = fitGateParameters(cache, family)
  const cost = await measureCost(options)
  const { point, met, warnings } = searchThresholds(createExitTable(cache, family, parameters, cost), {
    maxDrop,
    search,
  })
  const thresholds = point.thresholds.map((value) => (value === Number.POSITIVE_INFINITY ? null : value))
  const exitMacs = countMacsAtExits(manifest)
  const macsPerSample = point.exitShares.reduce((sum, share, exit) => sum + share * (exitMacs[exit] ?? 0), 0)
  const record: CalibrationRecord = {
    data: dataset.name,
    samples: dataset.size,
    seed: options.seed,
    target: { maxDrop, confidence: null },
    reference: cache.labels === null ? 'full-network' : 'labels',
    cost: options.cost,
    measured: {
      accuracy: point.accuracy,
      drop: point.drop,
      macsPerSample,
      macsSaved: 1 - macsPerSample / manifest.macs,
      exitShares: point.exitShares,
    },
    guarantee: null,
  }
  return {
    manifest: setThresholds(manifest, family.name, parameters, thresholds, record),
    record,
    thresholds,
    met,
    warnings,
  }
}

async function measureCost({ model, manifest, dataset, cost, batchSize }: CalibrateOptions): Promise<ExitCost> {
  if (cost === 'macs') {
    const { stages } = manifest
    return {
      backbone: stages.map(({ macs }) => macs.backbone),
      head: stages.slice(0, -1).map(({ macs }) => macs.head),
    }
  }
  for await (const { images } of inputBatches(select(dataset, { limit: batchSize }), manifest.input, batchSize)) {
    return measureStageTimes(model, images)
  }
  throw new Error('A dataset that collectScores has read cannot be empty.')
}

/** MACs of a row that leaves at each exit, heads included. */
function countMacsAtExits({ stages }: BundleManifest): number[] {
  let sum = 0
  return stages.map(({ macs }) => {
    sum += macs.backbone + macs.head
    return sum
  })
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
