import { fold, readElement } from './folding.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Permutes the axes, or reverses them; `perm[axis]` is the input axis that becomes `axis`. */
const transpose: OperatorRule = {
  types: ['Transpose'],
  infer(context) {
    const input = context.input(0)
    const axes = [...input.dims.keys()]
    const permutation = context.ints('perm') ?? axes.toReversed()
    if (permutation.length !== axes.length || axes.some((axis) => !permutation.includes(axis))) {
      throw context.error(`its permutation [${permutation.join(', ')}] does not fit ${axes.length} dimensions`)
    }
    const dims = permutation.map((axis) => input.dims[axis] ?? 0)
    const folded = fold(input.type, dims, [input], ([value]) => (position) => {
      return (
        value &&
        readElement(
          value,
          axes.map((axis) => position[permutation.indexOf(axis)] ?? 0),
        )
      )
    })
    return [folded]
  },
}

/** The rules of axis permutations. */
export const transposeRules: readonly OperatorRule[] = [transpose]
