import { countElements, type DataType, type Tensor, type TensorDataTypes } from '@sluice/core'
import { describeTensor, type TensorInfo } from '../tensor-info.ts'

/** Larger tensors are never folded: shape arithmetic is small, and weights stay where they are. */
const foldingLimitElements = 4096

/** One value, exact: `bigint` in int64 tensors. */
export type Element = number | bigint

/** The value at a position of the output; undefined where it has none in the output's type, which ends the folding. */
export type ElementAt = (position: readonly number[]) => Element | undefined

const arrays: { readonly [T in DataType]: (length: number) => TensorDataTypes[T] } = {
  float32: (length) => new Float32Array(length),
  int32: (length) => new Int32Array(length),
  int64: (length) => new BigInt64Array(length),
  uint8: (length) => new Uint8Array(length),
  bool: (length) => new Uint8Array(length),
}

/**
 * Describes an output, with its value where every input has one and the output is small.
 * @param createElementAt given the inputs' values, how to compute each element
 */
export function fold(
  type: DataType | null,
  dims: readonly number[],
  inputs: readonly TensorInfo[],
  createElementAt: (values: readonly Tensor[]) => ElementAt,
): TensorInfo {
  const values = inputs.map(({ value }) => value).filter((value) => value !== null)
  if (type === null || values.length < inputs.length || !isFoldable(dims)) return describeTensor(type, dims)
  return { type, dims, value: createTensor(type, dims, createElementAt(values)) }
}

/** Whether a shape is small enough to compute its values; false for what is no shape at all. */
export function isFoldable(dims: readonly number[]): boolean {
  return dims.every((size) => Number.isInteger(size) && size >= 0) && countElements(dims) <= foldingLimitElements
}

/** An element at a position of a shape that the tensor broadcasts to. */
export function readBroadcast(tensor: Tensor, position: readonly number[]): Element | undefined {
  const offset = position.length - tensor.dims.length
  return tensor.data[flatIndex(tensor.dims, (axis, size) => (size === 1 ? 0 : (position[offset + axis] ?? 0)))]
}

/** An element at a position; undefined outside the tensor. */
export function readElement(tensor: Tensor, position: readonly number[]): Element | undefined {
  return tensor.data[flatIndex(tensor.dims, (axis) => position[axis] ?? 0)]
}

function flatIndex(dims: readonly number[], coordinate: (axis: number, size: number) => number): number {
  return dims.reduce((index, size, axis) => index * size + coordinate(axis, size), 0)
}

function createTensor(type: DataType, dims: readonly number[], elementAt: ElementAt): Tensor | null {
  const data = arrays[type](countElements(dims))
  const position = dims.map(() => 0)
  for (let index = 0; index < data.length; index++) {
    const element = elementAt(position)
    if (element === undefined || !store(type, data, index, element)) return null
    advance(position, dims)
  }
  return { type, dims, data }
}

/** Steps to the next position in row-major order. */
function advance(position: number[], dims: readonly number[]): void {
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const next = (position[axis] ?? 0) + 1
    position[axis] = next === dims[axis] ? 0 : next
    if (position[axis] !== 0) return
  }
}

function store(type: DataType, data: TensorDataTypes[DataType], index: number, element: Element): boolean {
  if (type !== 'float32' && Number.isNaN(Number(element))) return false
  if (data instanceof BigInt64Array) data[index] = typeof element === 'bigint' ? element : saturate(element)
  else data[index] = type === 'bool' ? Number(Number(element) !== 0) : Number(element)
  return true
}

/** PyTorch writes "to the end" as 2^63 - 1, which as a double is 2^63: too large by one. */
function saturate(value: number): bigint {
  const largest = 2n ** 63n - 1n
  if (value >= 2 ** 63) return largest
  return value <= -(2 ** 63) ? -largest - 1n : BigInt(Math.trunc(value))
}
