import { broadcast } from './axes.ts'
import { fold, readBroadcast, readElement } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Broadcasts to a shape, in both directions: a size of 1 on either side yields to the other. */
const expand: OperatorRule = {
  types: ['Expand'],
  infer(context) {
    const input = context.input(0)
    const dims = broadcast(context, [input.dims, context.constant(1) ?? []])
    return [
      fold(
        input.type,
        dims,
        [input],
        ([value]) =>
          (position) =>
            value && readBroadcast(value, position),
      ),
    ]
  },
}

const tile: OperatorRule = {
  types: ['Tile'],
  infer(context) {
    const input = context.input(0)
    const repeats = context.constant(1) ?? []
    if (repeats.length !== input.dims.length) throw context.error('its repeats differ in number from the dimensions')
    const dims = input.dims.map((size, axis) => size * (repeats[axis] ?? 1))
    const folded = fold(input.type, dims, [input], ([value]) => (position) => {
      return (
        value &&
        readElement(
          value,
          position.map((index, axis) => index % (value.dims[axis] ?? 1)),
        )
      )
    })
    return [folded]
  },
}

/** The rules of repeating. */
export const expandRules: readonly OperatorRule[] = [expand, tile]
