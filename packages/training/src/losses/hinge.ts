import { floatConstant } from '../graph-constants.ts'
import { sumClasses } from './class-sum.ts'
import type { HeadLoss } from './head-loss.ts'

/**
 * One-vs-rest hinge loss, the paper's (arXiv 1811.01476): `sum_j max(0, 1 - y_j z_j)` with `y_j = 1` for the row's class
 * and -1 for the others.
 */
export function createHingeLoss(): HeadLoss {
  return {
    name: 'hinge',
    target: 'labels',
    append(builder, { scores, target }) {
      const one = floatConstant(builder, 'hinge_one', 1)
      const two = floatConstant(builder, 'hinge_two', 2)
      const sign = builder.node('Sub', [builder.node('Mul', [target, two]), one])
      const shortfall = builder.node('Relu', [builder.node('Sub', [one, builder.node('Mul', [scores, sign])])])
      const pull = builder.node('Mul', [sign, builder.node('Sign', [shortfall])])
      return { value: sumClasses(builder, shortfall), gradient: builder.node('Neg', [pull]) }
    },
  }
}
