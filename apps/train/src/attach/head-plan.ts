import { type HeadDescription, InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import { countHeadMacs } from '@sluice/onnx-graph'
import {
  convolutionalRecipe,
  createCrammerSingerLoss,
  createCrossEntropyLoss,
  createDistillationLoss,
  createHingeLoss,
  type FeatureRows,
  type FitRecipe,
  type HeadLoss,
  linearRecipe,
  mlpRecipe,
  planHeadLayers,
} from '@sluice/training'

/** The losses that heads can be fitted with, by name. */
export const headLosses: { readonly [Name in HeadDescription['loss']]: () => HeadLoss } = {
  hinge: createHingeLoss,
  'crammer-singer': createCrammerSingerLoss,
  'cross-entropy': createCrossEntropyLoss,
  distillation: createDistillationLoss,
}

const recipes: { readonly [Kind in HeadDescription['kind']]: FitRecipe } = {
  linear: linearRecipe,
  mlp: mlpRecipe,
  convolutional: convolutionalRecipe,
}

/** What the user asks of the heads. */
export interface HeadOptions {
  readonly kind: HeadDescription['kind']
  readonly loss: HeadDescription['loss']
  /** Windows per axis of the pooling in front of the head. */
  readonly poolSize: number
  /** Width of the hidden layer, but for a `linear` head. */
  readonly hidden: number
  /** Channels that each convolution of a `convolutional` head yields. */
  readonly channels: readonly number[]
  /** Rank of its weights in an `mlp` head: fewer weights to read in every run, for next to no accuracy; null keeps them whole. */
  readonly rank: number | null
  /** Whether a head also takes the class scores of the gate in front; false when absent. */
  readonly cascade?: boolean
  /** Whether a head is fitted above all to rows that the gates in front are not sure of; false when absent. */
  readonly survivors?: boolean
}

/** The heads to fit, worked out. */
export interface HeadPlan {
  readonly pooling: PoolingDescription
  readonly loss: HeadLoss
  readonly recipe: FitRecipe
  /** Null for a linear head. */
  readonly hidden: number | null
  /** Channels that each convolution yields; none for heads without. */
  readonly channels: readonly number[]
  /** Null for weights of full rank. */
  readonly rank: number | null
  readonly cascade: boolean
  readonly survivors: boolean
  /**
   * Policy that suits the loss: margins for hinge losses, whose scores are no log-odds. Of the paper's margins the one
   * between the two best classes saves 33 % of ResNet-56's MACs at one point, the best score alone 29 %.
   */
  readonly policy: string
  /**
   * Share of the network's MACs that a gate of `--gates auto` must save: about what its call and head take of the time and
   * MACs leave out (docs/performance.md).
   */
  readonly leastGain: number
  /** MACs of a head on that many pooled features, and on the scores of a gate in front where heads take them. */
  readonly countMacs: (features: Pick<FeatureRows, 'width' | 'map'>, classCount: number) => number
}

/** @throws InvalidArgumentError for a width, pooling or channels that no head can have */
export function planHeads(options: HeadOptions): HeadPlan {
  const { kind, loss, poolSize, cascade = false, survivors = false } = options
  if (poolSize < 1 || options.hidden < 1) {
    throw new InvalidArgumentError(
      `A head needs at least one window and one hidden unit, not ${poolSize} and ${options.hidden}.`,
    )
  }
  const pooling: PoolingDescription = { size: poolSize, kind: 'average+maximum' }
  if (kind === 'convolutional' && options.channels.length === 0) {
    throw new InvalidArgumentError('A convolutional head needs at least one convolution; name its channels.')
  }
  const isLinear = kind === 'linear'
  const hidden = isLinear ? null : options.hidden
  const channels = kind === 'convolutional' ? options.channels : []
  const rank = kind === 'mlp' ? options.rank : null
  return {
    pooling,
    loss: headLosses[loss](),
    recipe: recipes[kind],
    hidden,
    channels,
    rank,
    cascade,
    survivors,
    policy: loss === 'hinge' || loss === 'crammer-singer' ? 'margin-difference' : 'softmax',
    leastGain: isLinear ? 0.004 : 0.007,
    countMacs({ width, map }, classCount) {
      const inputs = cascade ? width + classCount : width
      const whole = countHeadMacs({ layers: planHeadLayers({ width: inputs, map }, classCount, { hidden, channels }) })
      if (rank === null || hidden === null) return whole
      return Math.min(whole, rank * (inputs + hidden) + hidden * classCount)
    },
  }
}
