import type { HeadLayer } from '@sluice/onnx-graph'
import { foldStandardisation } from './fold-standardisation.ts'
import { planHeadLayers } from './head-layers.ts'
import { scoreFeatures } from './head-scores.ts'
import { drawInitialLayers } from './initial-values.ts'
import { factoriseLayer, savesWeights } from './low-rank.ts'
import { createRandom } from './random.ts'
import { takeEvenly } from './row-split.ts'
import { type TrainOptions, type TrainResult, train } from './train.ts'

/** What {@link fitLayers} works on. */
export interface FitLayersOptions extends Omit<TrainOptions, 'layers'> {
  /** Channels that each convolution in front yields; none where the list is empty. */
  readonly channels: readonly number[]
  /** Width of the hidden layer; null for a linear head. */
  readonly hidden: number | null
  /** Rank of the hidden layer's weights; null for full rank. */
  readonly rank: number | null
}

/** Share of the epochs before the hidden layer is factorised (docs/head-fitting.md). */
const fullRankShare = 0.4

/** Rows whose pre-activations span the space that the factorised layer keeps. */
const sampleRows = 1024

/**
 * Trains a head from random weights. Where a rank saves weights, the hidden layer is factorised after part of the epochs
 * and the rest trains its factors; both parts run the whole cycle of learning rates.
 */
export async function fitLayers(options: FitLayersOptions): Promise<TrainResult> {
  const { channels, rank, recipe } = options
  const shapes = planHeadLayers(options.features, options.targets.networkScores.width, options)
  const layers = drawInitialLayers(shapes, createRandom(options.seed, 2))
  if (rank === null || !layers[0] || channels.length > 0 || layers.length === 1 || !savesWeights(layers[0], rank)) {
    return train({ ...options, layers })
  }
  const fullEpochs = Math.max(1, Math.round(fullRankShare * recipe.epochs))
  const full = await trainPart({ ...options, layers }, 0, fullEpochs)
  const factors = await factoriseHidden(options, full.layers, rank)
  const tuned = await trainPart({ ...options, layers: factors }, fullEpochs, recipe.epochs)
  return { layers: tuned.layers, epochLosses: [...full.epochLosses, ...tuned.epochLosses] }
}

/** Trains during the epochs `first` to `end - 1` of the recipe, with a cycle of learning rates of their own. */
async function trainPart(options: TrainOptions, first: number, end: number): Promise<TrainResult> {
  const { recipe, onProgress } = options
  const epochs = end - first
  if (epochs === 0) return { layers: options.layers, epochLosses: [] }
  return train({
    ...options,
    recipe: { ...recipe, epochs },
    onProgress: ({ done, total }) => {
      const epochSteps = total / epochs
      onProgress?.({ done: first * epochSteps + done, total: recipe.epochs * epochSteps })
    },
  })
}

async function factoriseHidden(
  options: FitLayersOptions,
  [hidden, ...others]: readonly HeadLayer[],
  rank: number,
): Promise<HeadLayer[]> {
  if (hidden === undefined) return []
  const affine = foldStandardisation({ ...hidden, activation: 'none' }, options.standardisation)
  const rows = takeEvenly(options.rows, sampleRows)
  const { data } = await scoreFeatures({ ...options, layers: [affine], rows })
  return [...factoriseLayer(hidden, data, rank), ...others]
}
