import type { PoolingDescription } from '@sluice/core'
import { argmaxRows, type ClassScores, InvalidArgumentError, NonFiniteValueError } from '@sluice/core'
import type { HeadLayer, HeadWeights, OnnxEngine } from '@sluice/onnx-graph'
import { FitDivergedError } from './errors.ts'
import type { FeatureRows } from './feature-store.ts'
import { fitLayers } from './fit-layers.ts'
import { checkRecipe, type FitRecipe } from './fit-recipe.ts'
import { foldHead } from './fold-head.ts'
import { scoreFeatures } from './head-scores.ts'
import type { HeadLoss } from './losses/head-loss.ts'
import { readBlocks } from './row-blocks.ts'
import { type RowSplit, splitRows } from './row-split.ts'
import { measureStandardisation, shareOverMap } from './standardisation.ts'
import { checkTargets, type HeadTargets, readReferenceClasses } from './targets.ts'
import type { FitProgress } from './train.ts'

/** What {@link fitHead} fits, on what, and how. */
export interface FitHeadOptions {
  /** Runs the optimiser's steps. It should treat denormal numbers as zero: they make a solved task five times slower. */
  readonly engine: OnnxEngine
  /** Pooled features of the cut, one row per sample; with their map where the head convolves. */
  readonly features: FeatureRows
  /** How the features were pooled; goes into the head unchanged. */
  readonly pooling: PoolingDescription
  readonly targets: HeadTargets
  readonly loss: HeadLoss
  /** Width of the hidden layer; null for a linear head. */
  readonly hidden: number | null
  /** Channels that each convolution in front of these layers yields, from 1 on; none when absent. */
  readonly channels?: readonly number[]
  /**
   * Rank of the hidden layer's weights: the head has two smaller layers in its place, without a ReLU between them. Null,
   * or a rank that saves no weights, leaves one layer; null when absent. A head that convolves keeps its hidden layer whole.
   */
  readonly rank?: number | null
  readonly recipe: FitRecipe
  /**
   * Factor of each row's loss, 0 or more, one per row; rows of 0 are neither fitted nor judged. All 1 when absent.
   * Ones and zeros fit a head on the samples that survive the gates before it.
   */
  readonly rowWeights?: Float32Array
  /** The first rows are these samples, each later row is a changed copy of sample `row % samples`; all rows when absent. */
  readonly samples?: number
  /** Expected share of the rows that judge the head and do not fit it, 0 < share < 1; 0.05 when absent. */
  readonly heldOutShare?: number
  /** The same seed, data and engine give the same head, bit by bit. */
  readonly seed: number
  readonly signal?: AbortSignal | undefined
  /** Called after each engine run with optimiser steps. */
  readonly onProgress?: (progress: FitProgress) => void
}

/** A fitted head and how it did. The caller owns all arrays. */
export interface FittedHead {
  readonly head: HeadWeights
  /** Number of weights and biases. */
  readonly parameters: number
  /** `||w_j||` of the last layer, one per class, in the space of that layer's inputs after standardisation. */
  readonly weightNorms: readonly number[]
  /** Accuracy on the held-out rows, 0..1; of the network's own answers where there are no labels. */
  readonly fitAccuracy: number
  /** The held-out rows, ascending, and the head's scores of them. */
  readonly heldOut: { readonly rows: Uint32Array; readonly scores: ClassScores }
  /** Mean loss of each epoch's steps, with dropout. */
  readonly epochLosses: readonly number[]
}

/**
 * Fits a head on pooled features of a frozen network: standardised (folded into the result; a map that convolutions take is scaled only), by Adam under a one-cycle
 * schedule, every step on the engine.
 *
 * @throws InvalidArgumentError for labels, weights, channels or a recipe out of range, too few rows to fit and judge a head,
 * or convolutions on features that are no map
 * @throws NonFiniteValueError naming the first fitted row with a feature that is NaN or infinite
 * @throws FitDivergedError when the loss overflows on finite features
 * @throws the signal's reason when aborted
 */
export async function fitHead(options: FitHeadOptions): Promise<FittedHead> {
  const { features, targets, loss, recipe, seed, rank = null, channels = [], heldOutShare = 0.05 } = options
  checkRecipe(recipe)
  checkRank(rank)
  checkTargets(targets, loss, features.rows)
  const rowWeights = checkRowWeights(options.rowWeights ?? new Float32Array(features.rows).fill(1), features.rows)
  const split = checkSplit(splitRows(rowWeights, heldOutShare, seed, options.samples))
  const measured = await measureStandardisation(features, split.fitted)
  const standardisation = channels.length === 0 ? measured : shareOverMap(measured, features.map)
  const rows = split.fitted
  const { layers: fitted, epochLosses } = await fitLayers({
    ...options,
    rank,
    channels,
    rowWeights,
    rows,
    standardisation,
  }).catch((error) => explainDivergence(error, features, rows))
  const layers = foldHead(fitted, standardisation, features.map)
  return {
    head: { pooling: options.pooling, layers },
    parameters: layers.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0),
    weightNorms: measureWeightNorms(fitted[fitted.length - 1] as HeadLayer),
    epochLosses,
    ...(await judge(options, layers, split.heldOut)),
  }
}

function checkRank(rank: number | null): void {
  if (rank === null || (Number.isInteger(rank) && rank >= 1)) return
  throw new InvalidArgumentError(`Rank ${rank} is not possible; give a whole number from 1 on, or null for full rank.`)
}

function checkRowWeights(weights: Float32Array, rows: number): Float32Array {
  if (weights.length !== rows) {
    throw new InvalidArgumentError(`There are ${weights.length} row weights for ${rows} rows; give one per row.`)
  }
  const row = weights.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)))
  if (row < 0) return weights
  throw new InvalidArgumentError(`Row ${row} has weight ${weights[row]}; a weight is a finite number from 0 on.`)
}

function checkSplit(split: RowSplit): RowSplit {
  const { fitted, heldOut } = split
  if (fitted.length > 0 && heldOut.length > 0) return split
  throw new InvalidArgumentError(
    `${fitted.length} rows to fit a head and ${heldOut.length} to judge it are too few; give more samples, or another heldOutShare.`,
  )
}

/** Looks for the cause only once a loss is not finite: reading all features beforehand would take as long as an epoch. */
async function explainDivergence(error: unknown, features: FeatureRows, rows: Uint32Array): Promise<never> {
  if (!(error instanceof FitDivergedError)) throw error
  const { width } = features
  for await (const block of readBlocks(features, rows)) {
    for (const row of block.rows) {
      const bad = block.data.subarray(row * width, (row + 1) * width).find((value) => !Number.isFinite(value))
      if (bad !== undefined) throw new NonFiniteValueError('The pooled features', block.start + row, bad)
    }
  }
  throw error
}

/** `||w_j||` of a layer, one per output. */
export function measureWeightNorms({ weights, outputs }: Pick<HeadLayer, 'weights' | 'outputs'>): number[] {
  const squares = new Array<number>(outputs).fill(0)
  for (const [index, weight] of weights.entries())
    squares[index % outputs] = (squares[index % outputs] ?? 0) + weight ** 2
  return squares.map(Math.sqrt)
}

async function judge(options: FitHeadOptions, layers: readonly HeadLayer[], rows: Uint32Array) {
  const scores = await scoreFeatures({ ...options, layers, rows })
  const right = await readReferenceClasses(options.targets, rows)
  const answers = argmaxRows(scores)
  const hits = answers.filter((answer, index) => answer === right[index]).length
  return { fitAccuracy: hits / rows.length, heldOut: { rows, scores } }
}
