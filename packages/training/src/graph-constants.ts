import type { GraphBuilder } from '@sluice/onnx-graph'

/** Stores a float32 scalar; returns its name. Names must be unique within the builder. */
export function floatConstant(builder: GraphBuilder, name: string, value: number): string {
  return builder.initializer(name, { type: 'float32', dims: [], data: Float32Array.of(value) })
}

/** Stores an int64 scalar, or a vector for a list; returns its name. */
export function integerConstant(builder: GraphBuilder, name: string, value: number | readonly number[]): string {
  const values = typeof value === 'number' ? [value] : value
  const dims = typeof value === 'number' ? [] : [values.length]
  return builder.initializer(name, { type: 'int64', dims, data: BigInt64Array.from(values, BigInt) })
}
