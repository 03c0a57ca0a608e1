import type { ClassScores } from '@sluice/core'

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
