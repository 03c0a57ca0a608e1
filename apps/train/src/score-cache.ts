import type { ScoreCache } from '@sluice/calibration'
import {
  type BundleManifest,
  type ClassScores,
  checkFeatures,
  disposeRows,
  type PolicyFamily,
  type PooledFeatures,
  type StagedModel,
  type StageResult,
  type Tensor,
} from '@sluice/core'
import type { Dataset } from '@sluice/datasets'
import { inputBatches } from './input-batches.ts'
import type { WorkOptions } from './progress.ts'

export interface CollectScoresOptions extends WorkOptions {
  /** Policies that the scores are for: pooled features are kept where one of these uses them. Default none. */
  readonly families?: readonly PolicyFamily[]
  /** Rows per run. Default 64. */
  readonly batchSize?: number
  /** Whether the full network's answers serve as targets even where there are labels. Default false. */
  readonly ignoreLabels?: boolean
}

/**
 * Runs every sample through every stage, once, and keeps the class scores of all gates and of the full network: what
 * thresholds are searched on.
 * @throws InvalidArgumentError, before anything runs, for a policy that uses features which the gates do not yield
 */
export async function collectScores(
  model: StagedModel,
  manifest: Pick<BundleManifest, 'gates' | 'stages'>,
  dataset: Dataset,
  { families = [], batchSize = 64, ignoreLabels = false, onProgress, signal }: CollectScoresOptions = {},
): Promise<ScoreCache> {
  for (const family of families) checkFeatures(family, model.network)
  const tables = createTables(
    model,
    dataset.size,
    families.some(({ usesFeatures }) => usesFeatures),
  )
  const labels = new Int32Array(dataset.size)
  let isLabelled = !ignoreLabels
  let done = 0
  for await (const batch of inputBatches(dataset, model.network.input, batchSize)) {
    signal?.throwIfAborted()
    await fillTables(tables, done, model, batch.images)
    if (batch.labels === null) isLabelled = false
    else labels.set(batch.labels, done)
    done += batch.rows
    onProgress?.({ phase: 'scores', done, total: dataset.size, unit: 'images' })
  }
  return {
    gates: manifest.gates.map(({ head, stage }, gate) => ({
      scores: tables[gate]?.scores ?? emptyScores,
      features: tables[gate]?.features,
      weightNorms: head.weightNorms,
      takesScores: manifest.stages[stage]?.scoresInput !== undefined,
    })),
    final: tables.at(-1)?.scores ?? emptyScores,
    labels: isLabelled ? labels : null,
  }
}

const emptyScores: ClassScores = { data: new Float32Array(), rows: 0, classCount: 0 }

/** What one stage gives for every sample. */
interface StageTable {
  readonly scores: ClassScores
  readonly features: PooledFeatures | undefined
}

function createTables({ network }: StagedModel, rows: number, usesFeatures: boolean): StageTable[] {
  const { classCount, stages } = network
  return stages.map(({ features }) => ({
    scores: { data: new Float32Array(rows * classCount), rows, classCount },
    features: usesFeatures && features ? createFeatureTable(rows, features.width) : undefined,
  }))
}

function createFeatureTable(rows: number, width: number): PooledFeatures {
  return { data: new Float32Array(rows * width), rows, width }
}

/** Runs one batch through all stages and puts what they give into the tables from row `start` on. */
async function fillTables(
  tables: readonly StageTable[],
  start: number,
  model: StagedModel,
  images: Tensor,
): Promise<void> {
  let activation = await model.upload(images)
  try {
    for (const [stage, table] of tables.entries()) {
      const result = await model.runStage(stage, activation)
      if (result.activation !== null) {
        activation.dispose()
        activation = result.activation
      }
      await fillTable(table, start, result)
    }
  } finally {
    activation.dispose()
  }
}

async function fillTable(table: StageTable, start: number, result: StageResult): Promise<void> {
  const { scores, features } = result
  try {
    table.scores.data.set((await scores.read()).data, start * table.scores.classCount)
    if (table.features === undefined || features === undefined) return
    table.features.data.set((await features.read()).data, start * table.features.width)
  } finally {
    disposeRows(result)
  }
}
