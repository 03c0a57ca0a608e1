import { resolveAxis, sizeOf } from './axes.ts'
import { fold, readElement } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Takes every `step`-th element from `start` up to but without `end` along some axes; both may count from the back. */
const slice: OperatorRule = {
  types: ['Slice'],
  infer(context) {
    const input = context.input(0)
    const [starts = [], ends = []] = [context.constant(1), context.constant(2)]
    const axes = context.constant(3) ?? [...starts.keys()]
    const steps = context.constant(4) ?? starts.map(() => 1)
    const ranges = input.dims.map((size) => ({ start: 0, step: 1, count: size }))
    for (const [index, given] of axes.entries()) {
      const axis = resolveAxis(context, given, input.dims.length)
      const step = steps[index] ?? 1
      if (step === 0) throw context.error('its step is 0')
      ranges[axis] = clampRange(sizeOf(context, input, axis), starts[index] ?? 0, ends[index] ?? 0, step)
    }
    const dims = ranges.map(({ count }) => count)
    const folded = fold(input.type, dims, [input], ([value]) => (position) => {
      return (
        value &&
        readElement(
          value,
          ranges.map(({ start, step }, axis) => start + (position[axis] ?? 0) * step),
        )
      )
    })
    return [folded]
  },
}

/** The rules of cutting out. */
export const sliceRules: readonly OperatorRule[] = [slice]

/** Clamps as the specification of Slice does: forward to [0, size], backward to [-1, size - 1]. */
function clampRange(size: number, start: number, end: number, step: number) {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const clamp = (value: number, least: number) => Math.min(Math.max(value < 0 ? value + size : value, least), high)
  const first = clamp(start, step > 0 ? 0 : Math.min(0, high))
  return { start: first, step, count: Math.max(0, Math.ceil((clamp(end, low) - first) / step)) }
}
