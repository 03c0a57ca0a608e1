import type { Random } from './random.ts'

/** `length` factors of dropout: 0 with probability `rate`, else `1 / (1 - rate)`; all 1 at rate 0, without a draw. */
export function drawDropoutFactors(length: number, rate: number, random: Random): Float32Array {
  const factors = new Float32Array(length).fill(1 / (1 - rate))
  if (rate === 0) return factors
  for (let index = 0; index < length; index++) if (random.next() < rate) factors[index] = 0
  return factors
}
