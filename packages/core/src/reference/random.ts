import { countElements, type Tensor } from '../tensor.ts'
import type { DenseLayer, ReferenceNetwork } from './network.ts'

/** What a random reference network looks like; the same options give the same network. */
export interface RandomNetworkOptions {
  readonly seed: number
  /** Shape of one sample. */
  readonly inputShape: readonly number[]
  /** Width of the cut after each stage but the last; empty for a network without gates. */
  readonly cutWidths: readonly number[]
  readonly classCount: number
  /** Whether every head but the first takes the class scores of the gate in front; false when absent. */
  readonly cascade?: boolean | undefined
  /** Whether every gate yields pooled features; false when absent. */
  readonly features?: boolean | undefined
}

/**
 * A random network: one or two layers per stage, linear heads and heads with a hidden layer, every activation function.
 * Weights are exact in float32 and scaled so that values neither explode nor vanish.
 */
export function createRandomReferenceNetwork(options: RandomNetworkOptions): ReferenceNetwork {
  const { seed, inputShape, cutWidths, classCount, cascade = false, features = false } = options
  const random = createRandom(seed)
  let width = countElements(inputShape)
  const stages = cutWidths.map((cutWidth, index) => {
    const layers = createRandomLayers(random, width, cutWidth, random() < 0.5 ? 'relu' : 'tanh')
    width = cutWidth
    const takesScores = cascade && index > 0
    return {
      layers,
      head: createRandomLayers(random, width + (takesScores ? classCount : 0), classCount, 'none'),
      takesScores,
      yieldsFeatures: features,
    }
  })
  return {
    inputShape,
    stages: [...stages, { layers: createRandomLayers(random, width, classCount, 'none'), head: null }],
  }
}

function createRandomLayers(
  random: () => number,
  inputs: number,
  outputs: number,
  activation: DenseLayer['activation'],
): DenseLayer[] {
  if (random() < 0.5) return [createRandomLayer(random, inputs, outputs, activation)]
  const hidden = 5
  return [createRandomLayer(random, inputs, hidden, 'tanh'), createRandomLayer(random, hidden, outputs, activation)]
}

function createRandomLayer(
  random: () => number,
  inputs: number,
  outputs: number,
  activation: DenseLayer['activation'],
): DenseLayer {
  const scale = Math.sqrt(3 / inputs)
  const draw = () => Math.fround((2 * random() - 1) * scale)
  const weights = Array.from({ length: outputs }, () => Array.from({ length: inputs }, draw))
  return { weights, bias: Array.from({ length: outputs }, draw), activation }
}

/** A batch `[rows, ...shape]` of values evenly spread over -1..1; the same arguments give the same batch. */
export function createRandomBatch(seed: number, rows: number, shape: readonly number[]): Tensor<'float32'> {
  const random = createRandom(seed)
  const dims = [rows, ...shape]
  return { type: 'float32', dims, data: Float32Array.from({ length: countElements(dims) }, () => 2 * random() - 1) }
}

/** Numbers in [0, 1), the same for the same 32-bit seed: the finaliser of MurmurHash3 over a Weyl sequence. */
export function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}
