import { floatConstant, integerConstant } from '../graph-constants.ts'
import { sumClasses } from './class-sum.ts'
import type { HeadLoss } from './head-loss.ts'

/**
 * Multi-class hinge loss of Crammer and Singer (JMLR 2, 2001): `max_j (z_j + [j != y]) - z_y` for a row of class `y`;
 * zero once its class leads every other by 1.
 */
export function createCrammerSingerLoss(): HeadLoss {
  return {
    name: 'crammer-singer',
    target: 'labels',
    append(builder, { scores, target, classCount }) {
      const one = floatConstant(builder, 'crammer_singer_one', 1)
      const raised = builder.node('Add', [scores, builder.node('Sub', [one, target])])
      const rival = builder.node('OneHot', [
        builder.node('ArgMax', [raised], { axis: 1, keepdims: 0 }),
        integerConstant(builder, 'crammer_singer_classes', classCount),
        builder.initializer('crammer_singer_values', { type: 'float32', dims: [2], data: Float32Array.of(0, 1) }),
      ])
      const gradient = builder.node('Sub', [rival, target])
      return { value: sumClasses(builder, builder.node('Mul', [raised, gradient])), gradient }
    },
  }
}
