/** Element types that cross the contract, with the array that carries each. */
export interface TensorDataTypes {
  float32: Float32Array
  int32: Int32Array
  int64: BigInt64Array
  uint8: Uint8Array
  bool: Uint8Array
}

export type DataType = keyof TensorDataTypes

/**
 * A dense array in host memory, row major. `data.length` is the product of `dims`. Whoever creates it owns `data`; a
 * function that takes a tensor reads it only and keeps no reference after its promise settles.
 */
export interface Tensor<T extends DataType = DataType> {
  readonly type: T
  readonly dims: readonly number[]
  readonly data: TensorDataTypes[T]
}

/** Number of elements of a shape; 1 for a scalar (`[]`). */
export function countElements(dims: readonly number[]): number {
  return dims.reduce((product, dimension) => product * dimension, 1)
}
