import { countElements } from '@sluice/core'
import type { CostRule } from './cost-rule.ts'

/** The rule of matrix products, dense layers and attention's products among them: `[..., m, k] x [..., k, n]`. */
export const matrixProduct: CostRule = {
  types: ['Dense', 'MatMul', '_FusedMatMul', 'BatchMatMul', 'BatchMatMulV2'],
  countMacs: ({ operands: [left = []], output, transposesLeft }) =>
    countElements(output) * (left.at(transposesLeft ? -2 : -1) ?? 0),
}
