import type { TensorInfo } from '../tensor-info.ts'
import { readAttributeOrInput, resolveAxis, sizeOf } from './axes.ts'
import { fold, readElement } from './folding.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Joins tensors along an axis. */
const concat: OperatorRule = {
  types: ['Concat'],
  infer(context) {
    const inputs = context.inputs.map((_, index) => context.input(index))
    const first = context.input(0)
    const axis = resolveAxis(context, context.int('axis') ?? 0, first.dims.length)
    checkParts(context, inputs, axis)
    const sizes = inputs.map((input) => sizeOf(context, input, axis))
    const dims = first.dims.with(axis, sum(sizes))
    const folded = fold(first.type, dims, inputs, (values) => (position) => {
      const { part, offset } = locate(sizes, position[axis] ?? 0)
      const value = values[part]
      return value && readElement(value, position.with(axis, offset))
    })
    return [folded]
  },
}

/** Cuts a tensor along an axis, by sizes or evenly (the last part is smaller where it does not come out even). */
const split: OperatorRule = {
  types: ['Split'],
  infer(context) {
    const input = context.input(0)
    const axis = resolveAxis(context, context.int('axis') ?? 0, input.dims.length)
    const size = sizeOf(context, input, axis)
    const parts = readAttributeOrInput(context, 'split', 1) ?? splitEvenly(size, context.node.output.length)
    if (sum(parts) !== size) throw context.error(`its parts [${parts.join(', ')}] do not add up to ${size}`)
    return parts.map((part, index) => {
      const begin = sum(parts.slice(0, index))
      return fold(input.type, input.dims.with(axis, part), [input], ([value]) => (position) => {
        return value && readElement(value, position.with(axis, begin + (position[axis] ?? 0)))
      })
    })
  },
}

/** The rules of joining and cutting along an axis. */
export const concatRules: readonly OperatorRule[] = [concat, split]

function checkParts(context: OperatorContext, inputs: readonly TensorInfo[], axis: number): void {
  const keys = inputs.map(({ dims }) => dims.map((size, other) => (other === axis ? '*' : size)).join(', '))
  const odd = keys.find((key) => key !== keys[0])
  if (odd !== undefined) throw context.error(`its inputs of shapes [${keys[0]}] and [${odd}] do not fit`)
}

function locate(sizes: readonly number[], index: number): { part: number; offset: number } {
  let offset = index
  let part = 0
  for (const size of sizes) {
    if (offset < size) break
    offset -= size
    part++
  }
  return { part, offset }
}

function splitEvenly(size: number, count: number): number[] {
  const part = Math.ceil(size / count)
  return Array.from({ length: count }, (_, index) => Math.max(0, Math.min(part, size - index * part)))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
