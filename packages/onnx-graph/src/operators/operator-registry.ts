import type { NodeProto } from '../generated/onnx_pb.ts'
import { castRules } from './cast.ts'
import { concatRules } from './concat.ts'
import { constantRules } from './constant.ts'
import { convolutionRules } from './convolution.ts'
import { einsumRules } from './einsum.ts'
import { elementwiseRules } from './elementwise.ts'
import { expandRules } from './expand.ts'
import { gatherRules } from './gather.ts'
import { matrixProductRules } from './matrix-product.ts'
import { normalizationRules } from './normalization.ts'
import type { OperatorRule } from './operator-rule.ts'
import { padRules } from './pad.ts'
import { poolingRules } from './pooling.ts'
import { quantizationRules } from './quantization.ts'
import { reductionRules } from './reduction.ts'
import { reshapeRules } from './reshape.ts'
import { resizeRules } from './resize.ts'
import { shapeOfRules } from './shape-of.ts'
import { sliceRules } from './slice.ts'
import { transposeRules } from './transpose.ts'
import { unaryRules } from './unary.ts'

/** Every operator that Sluice knows, one file per family. */
const operatorRules: readonly OperatorRule[] = [
  ...castRules,
  ...concatRules,
  ...constantRules,
  ...convolutionRules,
  ...elementwiseRules,
  ...einsumRules,
  ...expandRules,
  ...gatherRules,
  ...matrixProductRules,
  ...normalizationRules,
  ...padRules,
  ...poolingRules,
  ...quantizationRules,
  ...reductionRules,
  ...reshapeRules,
  ...resizeRules,
  ...shapeOfRules,
  ...sliceRules,
  ...transposeRules,
  ...unaryRules,
]

const rulesByType = new Map(operatorRules.flatMap((rule) => rule.types.map((type) => [type, rule] as const)))

/** The rule of a node's operator; undefined for operators that Sluice does not know, and those of other domains. */
export function findOperatorRule({ domain, opType }: NodeProto): OperatorRule | undefined {
  return domain === '' || domain === 'ai.onnx' ? rulesByType.get(opType) : undefined
}
