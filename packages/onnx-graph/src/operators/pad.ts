import { describeTensor } from '../tensor-info.ts'
import { readAttributeOrInput, resolveAxis } from './axes.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Pads before every axis, then pads behind every axis; negative ones cut off. */
const pad: OperatorRule = {
  types: ['Pad'],
  infer(context) {
    const input = context.input(0)
    const rank = input.dims.length
    const pads = readAttributeOrInput(context, 'pads', 1) ?? []
    const axes = context.constant(3)?.map((axis) => resolveAxis(context, axis, rank)) ?? [...input.dims.keys()]
    if (pads.length !== 2 * axes.length) throw context.error(`it has ${pads.length} pads for ${axes.length} axes`)
    const dims = [...input.dims]
    for (const [index, axis] of axes.entries()) {
      dims[axis] = (dims[axis] ?? 0) + (pads[index] ?? 0) + (pads[index + axes.length] ?? 0)
    }
    return [describeTensor(input.type, dims)]
  },
}

/** The rules of padding. */
export const padRules: readonly OperatorRule[] = [pad]
