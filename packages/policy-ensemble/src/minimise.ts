/** A function's value at a point; writes its derivatives there into `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number

/** When to stop. */
export interface MinimiseOptions {
  /** The greatest derivative that counts as 0. */
  readonly gradientTolerance: number
  readonly maxSteps: number
}

/** Where a search ended. */
export interface Minimum {
  readonly point: Float64Array
  readonly value: number
  readonly gradient: Float64Array
  /** Steps taken. */
  readonly steps: number
}

/** Steps that lower the value by less, relative to it, are rounding. */
const leastGain = 1e-12

/** Pairs of steps and changes of the gradient that stand for the curvature. */
const memory = 10

interface CurvaturePair {
  readonly step: Float64Array
  readonly change: Float64Array
}

/**
 * Minimises a smooth function by L-BFGS with backtracking (Nocedal and Wright, Numerical Optimization, algorithms 7.4
 * and 3.1), until the gradient is 0 or no step gains anything. Every step goes downhill; deterministic.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  { gradientTolerance, maxSteps }: MinimiseOptions,
): Minimum {
  const gradient = new Float64Array(start.length)
  let minimum: Minimum = { point: start, value: objective(start, gradient), gradient, steps: 0 }
  const pairs: CurvaturePair[] = []
  while (minimum.steps < maxSteps && findGreatest(minimum.gradient) > gradientTolerance) {
    const next = searchLine(objective, minimum, findDirection(minimum.gradient, pairs))
    if (next === null) return minimum
    const step = next.point.map((value, i) => value - (minimum.point[i] as number))
    const change = next.gradient.map((value, i) => value - (minimum.gradient[i] as number))
    // Backtracking alone does not see to positive curvature, without which the next direction may go uphill.
    if (dot(step, change) > 1e-12 * dot(change, change)) pairs.push({ step, change })
    if (pairs.length > memory) pairs.shift()
    const gain = minimum.value - next.value
    minimum = { ...next, steps: minimum.steps + 1 }
    if (gain <= leastGain * Math.abs(minimum.value)) return minimum
  }
  return minimum
}

/** Minus the inverse curvature times the gradient, by the two loops of L-BFGS. */
function findDirection(gradient: Float64Array, pairs: readonly CurvaturePair[]): Float64Array {
  const direction = gradient.map((value) => -value)
  const factors = pairs.map(() => 0)
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { step, change } = pairs[k] as CurvaturePair
    factors[k] = dot(step, direction) / dot(step, change)
    addScaled(direction, change, -(factors[k] as number))
  }
  const last = pairs.at(-1)
  const scale = last
    ? dot(last.step, last.change) / dot(last.change, last.change)
    : 1 / Math.sqrt(dot(gradient, gradient))
  for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) * scale
  pairs.forEach(({ step, change }, k) => {
    addScaled(direction, step, (factors[k] as number) - dot(change, direction) / dot(step, change))
  })
  return direction
}

/** The first of the steps 1, 1/2, 1/4, ... that lowers the value enough; null where none does. */
function searchLine(objective: Objective, from: Minimum, direction: Float64Array): Omit<Minimum, 'steps'> | null {
  const slope = dot(from.gradient, direction)
  for (let length = 1; length > 1e-10; length /= 2) {
    const point = from.point.slice()
    addScaled(point, direction, length)
    const gradient = new Float64Array(point.length)
    const value = objective(point, gradient)
    if (value <= from.value + 1e-4 * length * slope) return { point, value, gradient }
  }
  return null
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0)
}

function addScaled(target: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (values[i] as number)
}

function findGreatest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}
