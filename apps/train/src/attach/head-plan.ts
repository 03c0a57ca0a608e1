import { type HeadDescription, InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import {
  createCrammerSingerLoss,
  createCrossEntropyLoss,
  createDistillationLoss,
  createHingeLoss,
  type FitRecipe,
  type HeadLoss,
  linearRecipe,
  mlpRecipe,
} from '@sluice/training'

/** The losses that heads can be fitted with, by name. */
export const headLosses: { readonly [Name in HeadDescription['loss']]: () => HeadLoss } = {
  hinge: createHingeLoss,
  'crammer-singer': createCrammerSingerLoss,
  'cross-entropy': createCrossEntropyLoss,
  distillation: createDistillationLoss,
}

/** What the user asks of the heads. */
export interface HeadOptions {
  readonly kind: HeadDescription['kind']
  readonly loss: HeadDescription['loss']
  /** Windows per axis of the pooling in front of the head. */
  readonly poolSize: number
  /** Width of the hidden layer of an `mlp` head. */
  readonly hidden: number
  /** Rank of its weights: fewer weights to read in every run, for next to no accuracy; null keeps them whole. */
  readonly rank: number | null
}

/** The heads to fit, worked out. */
export interface HeadPlan {
  readonly pooling: PoolingDescription
  readonly loss: HeadLoss
  readonly recipe: FitRecipe
  /** Null for a linear head. */
  readonly hidden: number | null
  /** Null for weights of full rank. */
  readonly rank: number | null
  /**
   * Policy that suits the loss: margins for hinge losses, whose scores are no log-odds. Of the paper's margins the one
   * between the two best classes saves 33 % of ResNet-56's MACs at one point, the best score alone 29 %.
   */
  readonly policy: string
  /** Share of the network's cost that a gate must save to be worth its call and head, about what they take of its time. */
  readonly leastGain: number
  /** MACs of a head on that many pooled features. */
  readonly countMacs: (features: number, classCount: number) => number
}

/** @throws InvalidArgumentError for a width or pooling that no head can have */
export function planHeads({ kind, loss, poolSize, hidden, rank }: HeadOptions): HeadPlan {
  if (poolSize < 1 || hidden < 1) {
    throw new InvalidArgumentError(
      `A head needs at least one window and one hidden unit, not ${poolSize} and ${hidden}.`,
    )
  }
  const pooling: PoolingDescription = { size: poolSize, kind: 'average+maximum' }
  const isLinear = kind === 'linear'
  return {
    pooling,
    loss: headLosses[loss](),
    recipe: isLinear ? linearRecipe : mlpRecipe,
    hidden: isLinear ? null : hidden,
    rank: isLinear ? null : rank,
    policy: loss === 'hinge' || loss === 'crammer-singer' ? 'margin-difference' : 'softmax',
    leastGain: isLinear ? 0.004 : 0.007,
    countMacs(features, classCount) {
      if (isLinear) return features * classCount
      const whole = features * hidden
      return Math.min(whole, rank === null ? whole : rank * (features + hidden)) + hidden * classCount
    },
  }
}
