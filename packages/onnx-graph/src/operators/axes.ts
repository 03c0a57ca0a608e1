import type { TensorInfo } from '../tensor-info.ts'
import type { OperatorContext } from './operator-context.ts'

/** An axis counted from the front, from one that may count from the back. @throws ShapeInferenceError outside the rank */
export function resolveAxis(context: OperatorContext, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis
  if (resolved >= 0 && resolved < rank) return resolved
  throw context.error(`its axis ${axis} lies outside a tensor of ${rank} dimensions`)
}

/**
 * The list that older operator sets keep in an attribute and newer ones in an input; undefined when there is neither.
 */
export function readAttributeOrInput(context: OperatorContext, name: string, index: number): number[] | undefined {
  return context.ints(name) ?? context.constant(index)
}

/** The size of a tensor along an axis. @throws ShapeInferenceError when the tensor has fewer axes */
export function sizeOf(context: OperatorContext, tensor: TensorInfo, axis: number): number {
  const size = tensor.dims[axis]
  if (size !== undefined) return size
  throw context.error(`it takes a tensor with at least ${axis + 1} dimensions, not [${tensor.dims.join(', ')}]`)
}

/** The common shape of broadcast operands, aligned at the last axis. @throws ShapeInferenceError when they do not fit */
export function broadcast(context: OperatorContext, shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((dims) => dims.length))
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1).filter((size) => size !== 1)
    const size = sizes[0] ?? 1
    if (sizes.every((other) => other === size)) return size
    throw context.error(`its inputs of shapes ${shapes.map((dims) => `[${dims.join(', ')}]`).join(' and ')} do not fit`)
  })
}
