import { countElements } from '@sluice/core'
import { describeTensor } from '../tensor-info.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'

/**
 * A sum of products over labelled axes, e.g. `bhqd,bhkd->bhqk`. Counted as products of two or more operands: one MAC for
 * each combination of labels. An ellipsis is not supported.
 */
const einsum: OperatorRule = {
  types: ['Einsum'],
  infer(context) {
    const { output, sizes } = readEquation(context)
    const dims = [...output].map((label) => {
      const size = sizes.get(label)
      if (size !== undefined) return size
      throw context.error(`its equation makes an axis '${label}' that no input has`)
    })
    return [describeTensor(context.input(0).type, dims)]
  },
  countMacs(context) {
    return context.inputs.length < 2 ? 0 : countElements([...readEquation(context).sizes.values()])
  },
}

/** The rules of sums of products. */
export const einsumRules: readonly OperatorRule[] = [einsum]

function readEquation(context: OperatorContext) {
  const equation = (context.string('equation') ?? '').replaceAll(' ', '')
  if (equation.includes('.')) throw context.error(`its equation '${equation}' has an ellipsis, which is not supported`)
  const [left = '', right] = equation.split('->')
  const terms = left.split(',')
  const sizes = new Map<string, number>()
  for (const [index, term] of terms.entries()) {
    const { dims } = context.input(index)
    if (dims.length !== term.length) throw context.error(`its equation '${equation}' does not fit its inputs' ranks`)
    for (const [axis, label] of [...term].entries()) {
      sizes.set(label, mergeSizes(context, label, sizes.get(label), dims[axis]))
    }
  }
  return { output: right ?? implicitOutput(terms.join('')), sizes }
}

function mergeSizes(context: OperatorContext, label: string, left = 1, right = 1): number {
  if (left === right || right === 1) return left
  if (left === 1) return right
  throw context.error(`its axis '${label}' has both ${left} and ${right} elements`)
}

/** Without an arrow the output has the labels that occur once, in alphabetical order. */
function implicitOutput(labels: string): string {
  const once = [...labels].filter((label) => labels.indexOf(label) === labels.lastIndexOf(label))
  return once.sort().join('')
}
