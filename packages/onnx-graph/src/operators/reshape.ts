import { countElements } from '@sluice/core'
import type { TensorInfo } from '../tensor-info.ts'
import { readAttributeOrInput, resolveAxis } from './axes.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'

/** A size of 0 copies the input's, unless `allowzero`; one size of -1 takes what is left. */
const reshape: OperatorRule = {
  types: ['Reshape'],
  infer(context) {
    const input = context.input(0)
    const target = context.constant(1) ?? []
    const copiesZero = context.int('allowzero') !== 1
    const sizes = target.map((size, axis) => (size === 0 && copiesZero ? (input.dims[axis] ?? 0) : size))
    const rest = countElements(input.dims) / countElements(sizes.filter((size) => size !== -1))
    return [
      withShape(
        context,
        input,
        sizes.map((size) => (size === -1 ? rest : size)),
      ),
    ]
  },
}

/** All axes before `axis` become the first, the others the second. */
const flatten: OperatorRule = {
  types: ['Flatten'],
  infer(context) {
    const input = context.input(0)
    const axis = context.int('axis') ?? 1
    const rank = input.dims.length
    const split = axis === rank ? rank : resolveAxis(context, axis, rank)
    return [
      withShape(context, input, [countElements(input.dims.slice(0, split)), countElements(input.dims.slice(split))]),
    ]
  },
}

/** Removes the axes named, or all of size 1. */
const squeeze: OperatorRule = {
  types: ['Squeeze'],
  infer(context) {
    const input = context.input(0)
    const rank = input.dims.length
    const axes = readAttributeOrInput(context, 'axes', 1)?.map((axis) => resolveAxis(context, axis, rank))
    const isRemoved = (size: number, axis: number) => (axes ? axes.includes(axis) : size === 1)
    return [
      withShape(
        context,
        input,
        input.dims.filter((size, axis) => !isRemoved(size, axis)),
      ),
    ]
  },
}

/** Inserts axes of size 1; they are counted in the output. */
const unsqueeze: OperatorRule = {
  types: ['Unsqueeze'],
  infer(context) {
    const input = context.input(0)
    const inserted = readAttributeOrInput(context, 'axes', 1) ?? []
    const rank = input.dims.length + inserted.length
    const axes = new Set(inserted.map((axis) => resolveAxis(context, axis, rank)))
    const sizes = input.dims.values()
    const dims = Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (sizes.next().value ?? 1)))
    return [withShape(context, input, dims)]
  },
}

/** The rules of operators that keep the elements and their order. */
export const reshapeRules: readonly OperatorRule[] = [reshape, flatten, squeeze, unsqueeze]

function withShape(context: OperatorContext, input: TensorInfo, dims: readonly number[]): TensorInfo {
  if (countElements(dims) !== countElements(input.dims)) {
    throw context.error(`its input [${input.dims.join(', ')}] does not fill [${dims.join(', ')}]`)
  }
  return { type: input.type, dims, value: input.value && { ...input.value, dims } }
}
