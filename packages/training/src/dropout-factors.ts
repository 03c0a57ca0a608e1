import type { NamedTensors } from '@sluice/onnx-graph'
import type { Random } from './random.ts'
import { dropoutName } from './training-graph.ts'

/** Places that a step's stretch of factors can begin at. */
const startCount = 2 ** 18

/**
 * The factors of every layer with dropout, `1 / (1 - rate)` or 0, enough for a batch wherever its stretch begins.
 *
 * @param widths values at each layer's input
 * @param rates dropout rate at each layer's input
 */
export function drawDropoutFactors(
  widths: readonly number[],
  rates: readonly number[],
  batchRows: number,
  random: Random,
): NamedTensors {
  const entries = rates.flatMap((rate, layer) => {
    if (rate === 0) return []
    const kept = 1 / (1 - rate)
    const data = new Float32Array(startCount + batchRows * (widths[layer] as number))
    for (let index = 0; index < data.length; index++) data[index] = random.next() < rate ? 0 : kept
    return [[dropoutName(layer), { type: 'float32', dims: [data.length], data }] as const]
  })
  return Object.fromEntries(entries)
}

/** Where the stretch of each step and layer begins; nothing when no layer has dropout. */
export function drawDropoutStarts(rates: readonly number[], steps: number, random: Random): NamedTensors {
  if (!rates.some((rate) => rate > 0)) return {}
  const data = BigInt64Array.from({ length: steps * rates.length }, () => BigInt(random.below(startCount)))
  return { dropout_starts: { type: 'int64', dims: [steps, rates.length, 1], data } }
}
