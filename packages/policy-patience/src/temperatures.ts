import {
  type ClassScores,
  fitTemperature,
  type GateContext,
  type GateSample,
  InvalidArgumentError,
  type JsonObject,
  readTemperature,
} from '@sluice/core'

/** Fits `{ temperatures }` of the last `count` gates, this one last, or of fewer where there are not so many. */
export function fitTemperatures({ scores, targets, earlier = [] }: GateSample, count: number): JsonObject {
  const gates = [...earlier, scores].slice(-count)
  return { temperatures: gates.map((each) => fitTemperature({ scores: each, targets })) }
}

/** The list that `fitTemperatures` wrote. @throws InvalidArgumentError for anything else */
export function readTemperatures({ temperatures }: JsonObject): readonly number[] {
  if (Array.isArray(temperatures) && temperatures.length > 0) {
    return temperatures.map((temperature) => readTemperature({ temperature }))
  }
  throw new InvalidArgumentError(
    `The gate's temperatures are ${JSON.stringify(temperatures)}; they must be a list of numbers > 0. Calibrate the bundle again.`,
  )
}

/**
 * The last `count` gates, this one last, or fewer where there are not so many: one for each of the temperatures.
 * @throws InvalidArgumentError where that is another number of gates
 */
export function takeLastGates(
  scores: ClassScores,
  { earlier }: GateContext,
  count: number,
  temperatures: readonly number[],
): readonly ClassScores[] {
  const gates = [...earlier, scores].slice(-count)
  if (gates.length === temperatures.length) return gates
  throw new InvalidArgumentError(
    `The gate was fitted with ${temperatures.length - 1} earlier gates and is shown ${earlier.length}. Calibrate the bundle again.`,
  )
}

/** Writes `softmax(z / temperature)` of the classes `start` onwards into `target`, `[classes]`. */
export function writeSoftmax(
  target: Float64Array,
  { data }: ClassScores,
  start: number,
  temperature: number,
): Float64Array {
  let best = Number.NEGATIVE_INFINITY
  for (let c = 0; c < target.length; c++) best = Math.max(best, data[start + c] as number)
  let sum = 0
  for (let c = 0; c < target.length; c++) {
    const weight = Math.exp(((data[start + c] as number) - best) / temperature)
    target[c] = weight
    sum += weight
  }
  for (let c = 0; c < target.length; c++) target[c] = (target[c] as number) / sum
  return target
}
