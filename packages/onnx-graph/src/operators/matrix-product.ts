import { countElements } from '@sluice/core'
import { describeTensor, type TensorInfo } from '../tensor-info.ts'
import { broadcast, sizeOf } from './axes.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'

/** [..., m, k] x [..., k, n], with a vector taken as a row on the left and as a column on the right (numpy.matmul). */
function createMatMulRule(types: readonly string[], rightIndex: number): OperatorRule {
  return {
    types,
    infer(context) {
      const left = context.input(0)
      const right = context.input(rightIndex)
      const [leftDims, rightDims] = [asMatrix(context, left, 'row'), asMatrix(context, right, 'column')]
      checkInner(context, leftDims.at(-1), rightDims.at(-2))
      const outer = broadcast(context, [leftDims.slice(0, -2), rightDims.slice(0, -2)])
      const rows = left.dims.length === 1 ? [] : leftDims.slice(-2, -1)
      const columns = right.dims.length === 1 ? [] : rightDims.slice(-1)
      const type = context.node.opType === 'MatMulInteger' ? 'int32' : left.type
      return [describeTensor(type, [...outer, ...rows, ...columns])]
    },
    countMacs(context, [output]) {
      return countElements(output?.dims ?? []) * (context.input(0).dims.at(-1) ?? 0)
    },
  }
}

const gemm: OperatorRule = {
  types: ['Gemm'],
  infer(context) {
    const [left, right] = [context.input(0), context.input(1)]
    const [rows, inner] = transpose(context, left, 'transA')
    const [rightInner, columns] = transpose(context, right, 'transB')
    checkInner(context, inner, rightInner)
    return [describeTensor(left.type, [rows, columns])]
  },
  countMacs(context, [output]) {
    return countElements(output?.dims ?? []) * transpose(context, context.input(0), 'transA')[1]
  },
}

/** The rules of matrix products, attention's included; the bias is not counted. */
export const matrixProductRules: readonly OperatorRule[] = [
  createMatMulRule(['MatMul', 'MatMulInteger'], 1),
  createMatMulRule(['QLinearMatMul'], 3),
  gemm,
]

function asMatrix(context: OperatorContext, { dims }: TensorInfo, vector: 'row' | 'column'): readonly number[] {
  if (dims.length === 0) throw context.error('it takes no scalars')
  if (dims.length > 1) return dims
  return vector === 'row' ? [1, ...dims] : [...dims, 1]
}

function transpose(context: OperatorContext, matrix: TensorInfo, attribute: string): [number, number] {
  if (matrix.dims.length !== 2) throw context.error(`it takes matrices, not [${matrix.dims.join(', ')}]`)
  const [rows, columns] = [sizeOf(context, matrix, 0), sizeOf(context, matrix, 1)]
  return (context.int(attribute) ?? 0) === 0 ? [rows, columns] : [columns, rows]
}

function checkInner(context: OperatorContext, left: number | undefined, right: number | undefined): void {
  if (left !== right) throw context.error(`its matrices have ${left} columns and ${right} rows`)
}
