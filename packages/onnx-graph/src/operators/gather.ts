import { describeTensor } from '../tensor-info.ts'
import { resolveAxis, sizeOf } from './axes.ts'
import { fold, readElement } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Replaces an axis by the shape of the indices. */
const gather: OperatorRule = {
  types: ['Gather'],
  infer(context) {
    const [input, indices] = [context.input(0), context.input(1)]
    const axis = resolveAxis(context, context.int('axis') ?? 0, input.dims.length)
    const size = sizeOf(context, input, axis)
    const dims = input.dims.toSpliced(axis, 1, ...indices.dims)
    const folded = fold(input.type, dims, [input, indices], ([value, chosen]) => (position) => {
      const index = Number(chosen && readElement(chosen, position.slice(axis, axis + indices.dims.length)))
      const resolved = index < 0 ? index + size : index
      if (value === undefined || !(resolved >= 0 && resolved < size)) return undefined
      return readElement(value, position.toSpliced(axis, indices.dims.length, resolved))
    })
    return [folded]
  },
}

const gatherElements: OperatorRule = {
  types: ['GatherElements'],
  infer: (context) => [describeTensor(context.input(0).type, context.input(1).dims)],
}

/** The last axis of the indices addresses axes of the data behind `batch_dims`. */
const gatherNd: OperatorRule = {
  types: ['GatherND'],
  infer(context) {
    const [input, indices] = [context.input(0), context.input(1)]
    const depth = sizeOf(context, indices, indices.dims.length - 1)
    const kept = input.dims.slice((context.int('batch_dims') ?? 0) + depth)
    return [describeTensor(input.type, [...indices.dims.slice(0, -1), ...kept])]
  },
}

const scatter: OperatorRule = {
  types: ['ScatterElements', 'ScatterND'],
  infer(context) {
    const { type, dims } = context.input(0)
    return [describeTensor(type, dims)]
  },
}

/** Inserts an axis of size `depth`. */
const oneHot: OperatorRule = {
  types: ['OneHot'],
  infer(context) {
    const { dims } = context.input(0)
    const axis = resolveAxis(context, context.int('axis') ?? -1, dims.length + 1)
    return [describeTensor(context.input(2).type, dims.toSpliced(axis, 0, context.constant(1)?.[0] ?? 0))]
  },
}

/** The rules of reading and writing by index. */
export const gatherRules: readonly OperatorRule[] = [gather, gatherElements, gatherNd, scatter, oneHot]
