import type { ScoreCache } from '@sluice/calibration'
import type { BundleManifest, ClassScores, StagedModel, Tensor } from '@sluice/core'
import type { Dataset } from '@sluice/datasets'
import { inputBatches } from './input-batches.ts'
import type { WorkOptions } from './progress.ts'

export interface CollectScoresOptions extends WorkOptions {
  /** Rows per run. Default 64. */
  readonly batchSize?: number
  /** Whether the full network's answers serve as targets even where there are labels. Default false. */
  readonly ignoreLabels?: boolean
}

/**
 * Runs every sample through every stage, once, and keeps the class scores of all gates and of the full network: what
 * thresholds are searched on.
 */
export async function collectScores(
  model: StagedModel,
  manifest: Pick<BundleManifest, 'gates' | 'stages'>,
  dataset: Dataset,
  { batchSize = 64, ignoreLabels = false, onProgress, signal }: CollectScoresOptions = {},
): Promise<ScoreCache> {
  const { input, classCount, stages } = model.network
  const tables = stages.map(() => ({
    data: new Float32Array(dataset.size * classCount),
    rows: dataset.size,
    classCount,
  }))
  const labels = new Int32Array(dataset.size)
  let isLabelled = !ignoreLabels
  let done = 0
  for await (const batch of inputBatches(dataset, input, batchSize)) {
    signal?.throwIfAborted()
    await forEachStage(model, batch.images, (stage, { data }) => tables[stage]?.data.set(data, done * classCount))
    if (batch.labels === null) isLabelled = false
    else labels.set(batch.labels, done)
    done += batch.rows
    onProgress?.({ phase: 'scores', done, total: dataset.size, unit: 'images' })
  }
  const [final, ...ahead] = tables.reverse()
  const scores = ahead.reverse()
  return {
    gates: manifest.gates.map(({ head, stage }, gate) => ({
      scores: scores[gate] ?? emptyScores,
      weightNorms: head.weightNorms,
      takesScores: manifest.stages[stage]?.scoresInput !== undefined,
    })),
    final: final ?? emptyScores,
    labels: isLabelled ? labels : null,
  }
}

const emptyScores: ClassScores = { data: new Float32Array(), rows: 0, classCount: 0 }

/** Runs one batch through all stages; `visit` gets each stage's class scores. */
async function forEachStage(
  model: StagedModel,
  images: Tensor,
  visit: (stage: number, scores: ClassScores) => void,
): Promise<void> {
  let activation = await model.upload(images)
  try {
    for (let stage = 0; stage < model.network.stages.length; stage++) {
      const result = await model.runStage(stage, activation)
      if (result.activation !== null) {
        activation.dispose()
        activation = result.activation
      }
      try {
        visit(stage, await result.scores.read())
      } finally {
        result.scores.dispose()
      }
    }
  } finally {
    activation.dispose()
  }
}
