import { countElements, type Tensor } from '@sluice/core'
import type { HeadLayer, NamedTensors, OnnxEngine } from '@sluice/onnx-graph'
import { absorbNormalisation } from './absorb-normalisation.ts'
import { scaleAdamRates } from './adam.ts'
import { drawDropoutFactors } from './dropout-factors.ts'
import { FitDivergedError } from './errors.ts'
import type { FeatureRows } from './feature-store.ts'
import type { FitRecipe } from './fit-recipe.ts'
import { planLearningRates } from './learning-rate.ts'
import type { HeadLoss } from './losses/head-loss.ts'
import { createRandom, type Random, shuffle } from './random.ts'
import { planBlocks } from './row-blocks.ts'
import type { Standardisation } from './standardisation.ts'
import { type BlockPlan, planSteps } from './step-plan.ts'
import { type HeadTargets, readTargets } from './targets.ts'
import { buildTrainingGraph, type CarriedValue, dropoutName, parameterName } from './training-graph.ts'

/** What {@link train} works on. */
export interface TrainOptions {
  readonly engine: OnnxEngine
  readonly features: FeatureRows
  readonly targets: HeadTargets
  /** Factor of each row's loss, one per row of the store. */
  readonly rowWeights: Float32Array
  /** Rows to fit, ascending, at least one. */
  readonly rows: Uint32Array
  readonly standardisation: Standardisation
  readonly loss: HeadLoss
  /** The head before the first step, for standardised features. */
  readonly layers: readonly HeadLayer[]
  readonly recipe: FitRecipe
  readonly seed: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: FitProgress) => void) | undefined
}

/** Steps done and steps in all. */
export interface FitProgress {
  readonly done: number
  readonly total: number
}

/** What {@link train} leaves. */
export interface TrainResult {
  /** The head after the last step, for standardised features. */
  readonly layers: readonly HeadLayer[]
  /** Mean loss of each epoch's steps. */
  readonly epochLosses: readonly number[]
}

/**
 * Runs the whole schedule, one engine run per block and epoch; blocks, and rows within a block, in a new random order
 * every epoch.
 *
 * @throws FitDivergedError when a loss is NaN or infinite, also for features that are
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { engine, layers, loss, recipe, signal, onProgress } = options
  const { width, map } = options.features
  const dropout = layers.map((layer, index) => dropoutRate(recipe, layer, layers[index - 1]))
  const graph = buildTrainingGraph({ layers, width, map, loss, dropout })
  const blocks = planSteps(planBlocks(options.features, options.rows), recipe.batchRows)
  const total = recipe.epochs * blocks.reduce((sum, { steps }) => sum + steps, 0)
  const rates = scaleAdamRates(planLearningRates(recipe.peakLearningRate, total))
  const random = createRandom(options.seed, 1)
  const factors = drawFactors(options, dropout, Math.max(...blocks.map(({ batchRows }) => batchRows)), random)
  const epochLosses: number[] = []
  let values = prepareValues(graph.carried, layers)
  let done = 0
  const session = await engine.createSession(graph.model)
  try {
    for (let epoch = 0; epoch < recipe.epochs; epoch++) {
      let lossSum = 0
      const order = Uint32Array.from(blocks.keys())
      shuffle(order, random)
      for (const index of order) {
        signal?.throwIfAborted()
        const block = blocks[index] as BlockPlan
        const feeds = { ...(await prepareBlock(options, block)), ...prepareSteps(block, random) }
        const stepRates = rates.slice(done, done + block.steps)
        const results = await session.run({
          ...values,
          ...feeds,
          ...takeRows(factors, block.batchRows),
          rates: vector(stepRates),
        })
        values = Object.fromEntries(graph.carried.map(({ input, output }) => [input, results[output] as Tensor]))
        lossSum += sum(results[graph.losses]?.data as Float32Array)
        done += block.steps
        onProgress?.({ done, total })
      }
      if (!Number.isFinite(lossSum)) throw new FitDivergedError(epoch, recipe.peakLearningRate)
      epochLosses.push((lossSum * recipe.epochs) / total)
    }
  } finally {
    await session.release()
  }
  const fitted = layers.map((layer, index) => ({ ...layer, ...collectParameters(values, index) }))
  const scales = layers.map((_, index) => (values[parameterName('scale', index)]?.data ?? null) as Float32Array | null)
  return { layers: await absorbNormalisation({ ...options, layers: fitted, scales }), epochLosses }
}

/** What enters a layer right after another affine layer is left whole, and what goes from one convolution to the next. */
function dropoutRate(recipe: FitRecipe, { convolution }: HeadLayer, before: HeadLayer | undefined): number {
  if (before === undefined) return recipe.inputDropout
  return before.activation === 'relu' && convolution === undefined ? recipe.hiddenDropout : 0
}

function prepareValues(carried: readonly CarriedValue[], layers: readonly HeadLayer[]): NamedTensors {
  const entries = carried.map(({ input, dims, kind, layer }) => {
    return [input, { type: 'float32', dims, data: initialValues(layers[layer], kind, countElements(dims)) }] as const
  })
  return Object.fromEntries(entries)
}

function initialValues(layer: HeadLayer | undefined, kind: CarriedValue['kind'], length: number): Float32Array {
  if (kind === 'scale') return new Float32Array(length).fill(1)
  return (kind === 'state' ? undefined : layer?.[kind]) ?? new Float32Array(length)
}

function collectParameters(values: NamedTensors, layer: number): Pick<HeadLayer, 'weights' | 'bias'> {
  return {
    weights: values[parameterName('weights', layer)]?.data as Float32Array,
    bias: values[parameterName('bias', layer)]?.data as Float32Array,
  }
}

/**
 * What the inputs of the layers with dropout are multiplied by, and the first layer's standardisation within it. Drawn
 * once for a batch: a row of it meets other samples in every step, and drawing in the graph, as ONNX's Dropout does, takes
 * as long as the matrix products.
 */
function drawFactors(
  { layers, features, standardisation: { mean, scale } }: TrainOptions,
  dropout: readonly number[],
  batchRows: number,
  random: Random,
): NamedTensors {
  const factors: Record<string, Tensor> = {}
  for (const [layer, shape] of layers.entries()) {
    const inputs = layer === 0 ? features.width : shape.inputs
    const rate = dropout[layer] ?? 0
    if (layer > 0 && rate === 0) continue
    const rows = rate > 0 ? batchRows : 1
    const kept = drawDropoutFactors(rows * inputs, rate, random)
    const matrix = (data: Float32Array): Tensor => ({ type: 'float32', dims: [rows, inputs], data })
    if (layer > 0) factors[dropoutName(layer)] = matrix(kept)
    else {
      const scaled = kept.map((factor, index) => factor * (scale[index % inputs] as number))
      factors.input_factors = matrix(scaled)
      factors.input_shift = matrix(scaled.map((factor, index) => factor * (mean[index % inputs] as number)))
    }
  }
  return factors
}

/** The first rows of each matrix, at most as many as it has. */
function takeRows(matrices: NamedTensors, count: number): NamedTensors {
  const entries = Object.entries(matrices).map(
    ([
      name,
      {
        dims: [rows = 0, width = 0],
        data,
      },
    ]) => {
      const taken = Math.min(rows, count)
      return [
        name,
        { type: 'float32', dims: [taken, width], data: (data as Float32Array).subarray(0, taken * width) },
      ] as const
    },
  )
  return Object.fromEntries(entries)
}

async function prepareBlock(options: TrainOptions, { start, length }: BlockPlan): Promise<NamedTensors> {
  const { features, targets, rowWeights, loss } = options
  return {
    features: { type: 'float32', dims: [length, features.width], data: await features.read(start, length) },
    targets: await readTargets(targets, loss, start, length),
    row_weights: { type: 'float32', dims: [length, 1], data: rowWeights.subarray(start, start + length) },
  }
}

function prepareSteps(block: BlockPlan, random: Random): NamedTensors {
  const { steps, batchRows } = block
  const order = block.rows.slice()
  shuffle(order, random)
  return {
    step_count: { type: 'int64', dims: [], data: BigInt64Array.of(BigInt(steps)) },
    order: { type: 'int32', dims: [steps, batchRows], data: Int32Array.from(order.subarray(0, steps * batchRows)) },
  }
}

function vector(data: Float32Array): Tensor {
  return { type: 'float32', dims: [data.length], data }
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0)
}
