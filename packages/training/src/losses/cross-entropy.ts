import { InvalidArgumentError } from '@sluice/core'
import { floatConstant } from '../graph-constants.ts'
import { sumClasses } from './class-sum.ts'
import type { HeadLoss } from './head-loss.ts'

/** Options of {@link createCrossEntropyLoss}. */
export interface CrossEntropyOptions {
  /** Share of the target spread evenly over all classes (Szegedy et al., arXiv 1512.00567), 0 <= share < 1; 0.1 when absent. */
  readonly labelSmoothing?: number
}

/**
 * Cross-entropy of the softmax of the scores: `-sum_j q_j log softmax(z)_j`, `q` the label, smoothed.
 * @throws InvalidArgumentError for a smoothing outside 0 <= share < 1
 */
export function createCrossEntropyLoss({ labelSmoothing = 0.1 }: CrossEntropyOptions = {}): HeadLoss {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new InvalidArgumentError(`Label smoothing ${labelSmoothing} is not possible; use 0 up to, not including, 1.`)
  }
  return {
    name: 'cross-entropy',
    target: 'labels',
    append(builder, { scores, target, classCount }) {
      const own = floatConstant(builder, 'cross_entropy_own', 1 - labelSmoothing)
      const spread = floatConstant(builder, 'cross_entropy_spread', labelSmoothing / classCount)
      const smooth = builder.node('Add', [builder.node('Mul', [target, own]), spread])
      const logSoftmax = builder.node('LogSoftmax', [scores], { axis: -1 })
      return {
        value: builder.node('Neg', [sumClasses(builder, builder.node('Mul', [smooth, logSoftmax]))]),
        gradient: builder.node('Sub', [builder.node('Softmax', [scores], { axis: -1 }), smooth]),
      }
    },
  }
}
