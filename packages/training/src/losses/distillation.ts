import { InvalidArgumentError } from '@sluice/core'
import { floatConstant } from '../graph-constants.ts'
import { sumClasses } from './class-sum.ts'
import type { HeadLoss } from './head-loss.ts'

/** Options of {@link createDistillationLoss}. */
export interface DistillationOptions {
  /** Divides both sides' scores before the softmax, above 0; higher shows more of the network's second thoughts. 4 when absent. */
  readonly temperature?: number
}

/**
 * Distillation from the full network, without labels (Hinton et al., arXiv 1503.02531): `T^2 KL(q || p)` with
 * `q = softmax(network scores / T)`, `p = softmax(head scores / T)`; `T^2` keeps the gradient's size.
 * @throws InvalidArgumentError unless the temperature is a number above 0
 */
export function createDistillationLoss({ temperature = 4 }: DistillationOptions = {}): HeadLoss {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new InvalidArgumentError(`Temperature ${temperature} is not possible; use a number above 0, e.g. 4.`)
  }
  return {
    name: 'distillation',
    target: 'network-scores',
    append(builder, { scores, target }) {
      const divisor = floatConstant(builder, 'distillation_temperature', temperature)
      const square = floatConstant(builder, 'distillation_square', temperature ** 2)
      const softened = (logits: string) => builder.node('Div', [logits, divisor])
      const teacher = builder.node('Softmax', [softened(target)], { axis: -1 })
      const logTeacher = builder.node('LogSoftmax', [softened(target)], { axis: -1 })
      const logStudent = builder.node('LogSoftmax', [softened(scores)], { axis: -1 })
      const divergence = builder.node('Mul', [teacher, builder.node('Sub', [logTeacher, logStudent])])
      const gap = builder.node('Sub', [builder.node('Exp', [logStudent]), teacher])
      return {
        value: builder.node('Mul', [sumClasses(builder, divergence), square]),
        gradient: builder.node('Mul', [gap, divisor]),
      }
    },
  }
}
