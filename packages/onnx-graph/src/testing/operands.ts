import { countElements, type Tensor } from '@sluice/core'
import { seededValues } from './seeded-values.ts'

/** An input of a node: fed at run time, or stored as a constant where the output's shape depends on its values. */
export interface Operand {
  readonly tensor: Tensor
  readonly isConstant: boolean
}

function fed(tensor: Tensor): Operand {
  return { tensor, isConstant: false }
}

function constant(tensor: Tensor): Operand {
  return { tensor, isConstant: true }
}

function createBytes<T extends 'uint8' | 'bool'>(type: T, dims: number[], map: (value: number) => number): Operand {
  return fed({ type, dims, data: Uint8Array.from(seededValues(countElements(dims), 7), map) })
}

/** Seeded float32 values in -1..1 of a shape. */
export function data(...dims: number[]): Operand {
  return fed({ type: 'float32', dims, data: seededValues(countElements(dims), countElements(dims) + 1) })
}

/** Seeded float32 values in 0.5..2.5. */
export function positive(...dims: number[]): Operand {
  return fed({ type: 'float32', dims, data: seededValues(countElements(dims), 5).map((value) => value + 1.5) })
}

/** Seeded uint8 values. */
export function bytes(...dims: number[]): Operand {
  return createBytes('uint8', dims, (value) => 100 + 99 * value)
}

/** Seeded truth values. */
export function bools(...dims: number[]): Operand {
  return createBytes('bool', dims, (value) => Number(value > 0))
}

/** int64 values 1, 2, 3, ... of a shape. */
export function counting(...dims: number[]): Operand {
  const values = BigInt64Array.from({ length: countElements(dims) }, (_, index) => BigInt(index + 1))
  return fed({ type: 'int64', dims, data: values })
}

/** Constant int64 values. */
export function list(...values: number[]): Operand {
  return constant({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) })
}

/** Constant int64 values in rows and columns. */
export function table(rows: number, columns: number, ...values: number[]): Operand {
  return constant({ type: 'int64', dims: [rows, columns], data: BigInt64Array.from(values, BigInt) })
}

/** One constant int64 value. */
export function scalar(value: number): Operand {
  return constant({ type: 'int64', dims: [], data: BigInt64Array.of(BigInt(value)) })
}

/** Constant float32 values. */
export function floats(...values: number[]): Operand {
  return constant({ type: 'float32', dims: [values.length], data: Float32Array.from(values) })
}

/** One constant float32 value. */
export function floatScalar(value: number): Operand {
  return constant({ type: 'float32', dims: [], data: Float32Array.of(value) })
}

/** One constant uint8 value. */
export function byteScalar(value: number): Operand {
  return constant({ type: 'uint8', dims: [], data: Uint8Array.of(value) })
}

/** A float32 tensor without rows. */
export const emptyRows = constant({ type: 'float32', dims: [0, 3], data: new Float32Array(0) })

/** What PyTorch writes for "to the end". */
export const farEnd = constant({ type: 'int64', dims: [1], data: BigInt64Array.of(2n ** 63n - 1n) })

/** The end that lies before everything. */
export const farStart = constant({ type: 'int64', dims: [1], data: BigInt64Array.of(-(2n ** 63n)) })
