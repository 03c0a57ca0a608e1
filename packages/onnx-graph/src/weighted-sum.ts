import type { ScoreExpression } from '@sluice/core'

/** Class scores of gates, weighted class by class, and summed. Scores are finite, as everywhere. */
export interface WeightedSum {
  /** `[classes]` each, by how far the gate is counted back: 0 is the gate itself. */
  readonly weights: ReadonlyMap<number, readonly number[]>
  /** `[classes]`. */
  readonly bias: readonly number[]
}

/** Reads an expression as a weighted sum; null where it is none, or where a number in it is not finite in single precision. */
export function readWeightedSum(expression: ScoreExpression, classCount: number): WeightedSum | null {
  const everyClass = (value: number) => new Array<number>(classCount).fill(value)
  const term = (distance: number) => ({ weights: new Map([[distance, everyClass(1)]]), bias: everyClass(0) })
  const constant = (bias: readonly number[]) => ({ weights: new Map<number, readonly number[]>(), bias })
  const read = (part: ScoreExpression): WeightedSum | null => {
    if (part === 'scores') return term(0)
    if (typeof part === 'number') return constant(everyClass(part))
    if ('earlier' in part) return Number.isInteger(part.earlier) && part.earlier > 0 ? term(part.earlier) : null
    if (!('operator' in part)) return part.length === classCount ? constant(part) : null
    if (!('left' in part)) return null
    const [left, right] = [read(part.left), read(part.right)]
    if (left === null || right === null) return null
    if (part.operator === 'add') return add(left, right)
    if (part.operator === 'subtract') return add(left, scale(right, everyClass(-1)))
    if (part.operator === 'multiply' && left.weights.size === 0) return scale(right, left.bias)
    if (right.weights.size > 0) return null
    if (part.operator === 'multiply') return scale(left, right.bias)
    return part.operator === 'divide' ? scale(left, invert(right.bias)) : null
  }
  const sum = read(expression)
  return sum !== null && [sum.bias, ...sum.weights.values()].flat().every(isSingle) ? sum : null
}

function isSingle(value: number): boolean {
  return Number.isFinite(Math.fround(value))
}

function add(left: WeightedSum, right: WeightedSum): WeightedSum {
  const addLists = (a: readonly number[] | undefined, b: readonly number[]) =>
    b.map((value, index) => (a?.[index] ?? 0) + value)
  const weights = new Map(left.weights)
  for (const [distance, values] of right.weights) weights.set(distance, addLists(weights.get(distance), values))
  return { weights, bias: addLists(left.bias, right.bias) }
}

function scale({ weights, bias }: WeightedSum, factors: readonly number[]): WeightedSum {
  const scaleList = (values: readonly number[]) => values.map((value, index) => value * (factors[index] as number))
  return {
    weights: new Map(Array.from(weights, ([distance, values]) => [distance, scaleList(values)])),
    bias: scaleList(bias),
  }
}

function invert(values: readonly number[]): number[] {
  return values.map((value) => 1 / value)
}
