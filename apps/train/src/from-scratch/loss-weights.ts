import { InvalidArgumentError } from '@sluice/core'

/** Gives the weight of each exit's loss in the sum that is minimised. */
export interface LossWeights {
  /** One per exit, the network's end last. */
  readonly weights: readonly number[]
  /** Learns from the losses of a step, one per exit. */
  update(losses: readonly number[], learningRate: number): void
  /** What has been learnt, for a checkpoint. */
  readonly state: readonly number[]
}

/** How the losses of jointly trained exits are weighed. */
export type LossWeighting = 'branchynet' | 'learned' | readonly number[]

/** Weight of every gate, and of the network's end, in BranchyNet for early exits (Teerapittayanon et al., arXiv 1709.01686). */
const branchyNet = { gate: 1, end: 0.3 } as const

/**
 * The weights of a network with the given number of exits, its end included.
 * @param state what `state` gave at a checkpoint; null at the start
 * @throws InvalidArgumentError for a list of another length
 */
export function createLossWeights(
  weighting: LossWeighting,
  exits: number,
  state: readonly number[] | null,
): LossWeights {
  if (exits === 1) return createFixedWeights([1])
  if (weighting === 'learned') return createLearnedWeights(state ?? new Array<number>(exits).fill(0))
  if (weighting === 'branchynet') {
    return createFixedWeights([...new Array<number>(exits - 1).fill(branchyNet.gate), branchyNet.end])
  }
  if (weighting.length === exits) return createFixedWeights(weighting)
  throw new InvalidArgumentError(
    `gates.weights has ${weighting.length} numbers for ${exits} exits; give one per gate and one for the network's end.`,
  )
}

function createFixedWeights(weights: readonly number[]): LossWeights {
  return { weights, update() {}, state: [] }
}

/**
 * Weighting by uncertainty (Kendall et al., arXiv 1705.07115, equation 10): with `s_k = log sigma_k^2` learnt by
 * descending `exp(-s_k) L_k + s_k / 2`, exit `k` has weight `exp(-s_k)`. The weights are scaled to a mean of 1, so that
 * the learning rate keeps its meaning while all losses fall.
 */
function createLearnedWeights(initial: readonly number[]): LossWeights {
  const logVariances = [...initial]
  return {
    get weights() {
      const precisions = logVariances.map((value) => Math.exp(-value))
      const mean = precisions.reduce((sum, value) => sum + value, 0) / precisions.length
      return precisions.map((value) => value / mean)
    },
    update(losses, learningRate) {
      for (const [exit, value] of logVariances.entries()) {
        logVariances[exit] = value - learningRate * (0.5 - Math.exp(-value) * (losses[exit] ?? 0))
      }
    },
    get state() {
      return [...logVariances]
    },
  }
}
