import type { ClassScores } from '../class-scores.ts'
import type { PooledFeatures } from '../pooled-features.ts'
import type { Tensor } from '../tensor.ts'

/** A dense layer: `activation(weights · x + bias)`. */
export interface DenseLayer {
  /** `[outputs][inputs]`. */
  readonly weights: readonly (readonly number[])[]
  /** `[outputs]`. */
  readonly bias: readonly number[]
  readonly activation: 'relu' | 'tanh' | 'none'
}

/** Layers applied in order, at least one. */
export interface ReferenceStage {
  readonly layers: readonly DenseLayer[]
  /** The gate's head on the stage's output; null for the last stage, whose output is the network's scores. */
  readonly head: readonly DenseLayer[] | null
  /** Whether the head reads the class scores of the gate in front too, behind the stage's output. */
  readonly takesScores?: boolean | undefined
  /** Whether the stage also yields its output as the gate's pooled features. */
  readonly yieldsFeatures?: boolean | undefined
}

/**
 * A small network as data, so that every adapter can write the same one in its own format. A sample of `inputShape` is
 * read as a row-major vector. Weights of a random network are exact in float32.
 */
export interface ReferenceNetwork {
  readonly inputShape: readonly number[]
  /** At least one. */
  readonly stages: readonly ReferenceStage[]
}

const activationFunctions: Record<DenseLayer['activation'], (x: number) => number> = {
  relu: (x) => Math.max(0, x),
  tanh: Math.tanh,
  none: (x) => x,
}

/** One row through layers in order: sums in float64, every layer's result rounded to float32. */
export function applyLayers(layers: readonly DenseLayer[], row: Float32Array): Float32Array {
  return layers.reduce(applyLayer, row)
}

function applyLayer(row: Float32Array, { weights, bias, activation }: DenseLayer): Float32Array {
  const activate = activationFunctions[activation]
  return Float32Array.from(weights, (weightsOfOutput, output) => {
    const sum = weightsOfOutput.reduce((total, weight, input) => total + weight * (row[input] as number), 0)
    return activate(sum + (bias[output] as number))
  })
}

/**
 * A row's class scores at the end of a stage.
 * @param output what the stage's layers yield
 * @param earlier the row's class scores at the gate in front, read only where the head takes them
 */
export function applyHead(
  { head, takesScores }: ReferenceStage,
  output: Float32Array,
  earlier: Float32Array | undefined,
): Float32Array {
  if (head === null) return output
  return applyLayers(head, takesScores ? Float32Array.of(...output, ...(earlier ?? [])) : output)
}

/** Number of values that layers yield per row. */
export function countOutputs(layers: readonly DenseLayer[]): number {
  return layers.at(-1)?.bias.length ?? 0
}

/** Number of classes of a network. */
export function countClasses(network: ReferenceNetwork): number {
  return countOutputs(network.stages.at(-1)?.layers ?? [])
}

/**
 * The oracle: what each stage must answer for a batch `[rows, ...inputShape]`, computed row by row with no gate, no
 * backend and no runner involved. The last entry holds the unsplit network's own scores.
 */
export function computeReferenceScores(network: ReferenceNetwork, batch: Tensor<'float32'>): ClassScores[] {
  let rows = splitRows(batch.data, batch.dims[0] ?? 0)
  let scores: Float32Array[] = []
  return network.stages.map((stage) => {
    rows = rows.map((row) => applyLayers(stage.layers, row))
    scores = rows.map((row, index) => applyHead(stage, row, scores[index]))
    return joinScores(scores, countClasses(network))
  })
}

/**
 * What each stage's gate must yield as pooled features, computed as {@link computeReferenceScores} does: the output of its
 * layers, whether the stage yields it or not.
 */
export function computeReferenceFeatures(network: ReferenceNetwork, batch: Tensor<'float32'>): PooledFeatures[] {
  let rows = splitRows(batch.data, batch.dims[0] ?? 0)
  return network.stages.map((stage) => {
    rows = rows.map((row) => applyLayers(stage.layers, row))
    return joinFeatures(rows)
  })
}

/** Cuts `[rows, length]` values into one array per row; the arrays are copies. */
export function splitRows(data: Float32Array, rows: number): Float32Array[] {
  const length = data.length / rows
  return Array.from({ length: rows }, (_, row) => data.slice(row * length, (row + 1) * length))
}

/** Puts rows of class scores into one array. */
export function joinScores(rows: readonly Float32Array[], classCount: number): ClassScores {
  return { data: joinRows(rows, classCount), rows: rows.length, classCount }
}

/** Puts rows of pooled features, at least one, into one array. */
export function joinFeatures(rows: readonly Float32Array[]): PooledFeatures {
  const width = rows[0]?.length ?? 0
  return { data: joinRows(rows, width), rows: rows.length, width }
}

function joinRows(rows: readonly Float32Array[], width: number): Float32Array {
  const data = new Float32Array(rows.length * width)
  rows.forEach((row, index) => {
    data.set(row, index * width)
  })
  return data
}
