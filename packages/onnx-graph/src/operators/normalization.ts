import { describeTensor } from '../tensor-info.ts'
import { resolveAxis } from './axes.ts'
import type { OperatorRule } from './operator-rule.ts'

/** In training mode batch normalisation also yields its running statistics, one per channel. */
const batchNormalization: OperatorRule = {
  types: ['BatchNormalization'],
  infer(context) {
    const { type, dims } = context.input(0)
    const statistics = describeTensor(type, context.input(3).dims)
    return [describeTensor(type, dims), ...context.node.output.slice(1).map(() => statistics)]
  },
}

/** Also yields mean and inverse deviation where a file asks for them. */
const layerNormalization: OperatorRule = {
  types: ['LayerNormalization', 'RMSNormalization'],
  infer(context) {
    const { type, dims } = context.input(0)
    const first = resolveAxis(context, context.int('axis') ?? -1, dims.length)
    const statistics = describeTensor(
      'float32',
      dims.map((size, axis) => (axis < first ? size : 1)),
    )
    return [describeTensor(type, dims), statistics, statistics]
  },
}

const sameShape: OperatorRule = {
  types: ['GroupNormalization', 'InstanceNormalization', 'LpNormalization', 'LRN', 'MeanVarianceNormalization'],
  infer(context) {
    const { type, dims } = context.input(0)
    return [describeTensor(type, dims)]
  },
}

/** The rules of normalisation layers; not counted. */
export const normalizationRules: readonly OperatorRule[] = [batchNormalization, layerNormalization, sameShape]
