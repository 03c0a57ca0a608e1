import type { DataType, Tensor } from '@sluice/core'

/** What shape inference knows of a tensor, without computing it. */
export interface TensorInfo {
  /** Element type; null where it is none that Sluice holds in memory (float16, double, string, ...). */
  readonly type: DataType | null
  readonly dims: readonly number[]
  /** The constant value where folding found one: shape arithmetic and small constants. Read only. */
  readonly value: Tensor | null
}

/** A tensor whose values are not known. */
export function describeTensor(type: DataType | null, dims: readonly number[]): TensorInfo {
  return { type, dims, value: null }
}

/** A tensor whose values are known. */
export function describeConstant(value: Tensor): TensorInfo {
  return { type: value.type, dims: value.dims, value }
}
