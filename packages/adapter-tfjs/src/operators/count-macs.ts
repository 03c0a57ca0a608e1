import { UnknownTfjsOperatorError } from '../errors.ts'
import type { Operation } from '../loaded-model.ts'
import { convolutionRules } from './convolution.ts'
import type { CostedOperation, CostRule } from './cost-rule.ts'
import { matrixProduct } from './matrix-product.ts'

const rules: ReadonlyMap<string, CostRule> = /* @__PURE__ */ new Map(
  [...convolutionRules, matrixProduct].flatMap((rule) => rule.types.map((type) => [type, rule] as const)),
)

/** Layers whose weights do not count: normalisation, activations, look-up. */
const freeLayers: readonly string[] = ['BatchNormalization', 'LayerNormalization', 'PReLU', 'Embedding']

/** Operators and layers that multiply, keep no weights of their own, and have no rule. */
const uncounted: readonly string[] = [
  'Conv3D',
  'Dot',
  'Einsum',
  'PartitionedCall',
  'StatefulPartitionedCall',
  'FFT',
  'IFFT',
  'RFFT',
  'IRFFT',
]

/**
 * Multiply-accumulates of one run of an operation.
 * @throws UnknownTfjsOperatorError for one that multiplies and has no rule
 */
export function countMacs({ operator, name, weightShapes }: Operation, shapes: CostedOperation): number {
  const rule = rules.get(operator)
  if (rule !== undefined) return rule.countMacs(shapes)
  if (uncounted.includes(operator) || (weightShapes.length > 0 && !freeLayers.includes(operator))) {
    throw new UnknownTfjsOperatorError(operator, name)
  }
  return 0
}
