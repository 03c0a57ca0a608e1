import { InvalidArgumentError } from '@sluice/core'
import { binomialTail } from './binomial-tail.ts'

/**
 * `KL(a || b)` of two coins that show heads with chances `a` and `b`: `a ln(a/b) + (1-a) ln((1-a)/(1-b))`, with
 * `0 ln 0 = 0`; infinite where `b` rules out what `a` allows.
 */
export function bernoulliDivergence(a: number, b: number): number {
  const part = (x: number, y: number) => (x === 0 ? 0 : x * Math.log(x / y))
  return part(a, b) + part(1 - a, 1 - b)
}

/**
 * The Hoeffding-Bentkus p-value of "the risk is greater than `bound`", for losses in 0..1 (Bates et al., arXiv
 * 2101.02703, proposition 6; Angelopoulos et al., arXiv 2110.01052, section 3):
 * `min(exp(-n KL(min(R, bound) || bound)), e P[Bin(n, bound) <= ceil(n R)])`, at most 1.
 *
 * @param lossSum sum of the losses, `n R`
 * @param samples `n`, >= 1
 * @param bound 0..1
 */
export function hoeffdingBentkusPValue(lossSum: number, samples: number, bound: number): number {
  const risk = lossSum / samples
  const hoeffding = Math.exp(-samples * bernoulliDivergence(Math.min(risk, bound), bound))
  const bentkus = Math.E * binomialTail(Math.ceil(lossSum), samples, bound)
  return Math.min(hoeffding, bentkus, 1)
}

/** Fewest samples on which any risk below `bound` can be shown at a confidence: those of a calibration without a loss. */
export function countSamplesNeeded(bound: number, confidence: number): number {
  return Math.max(1, Math.ceil(Math.log(1 - confidence) / Math.log1p(-bound)))
}

/** @throws InvalidArgumentError unless `0 < bound < 1` and `0 < confidence < 1` */
export function checkGuarantee({ bound, confidence }: { readonly bound: number; readonly confidence: number }): void {
  if (!(bound > 0 && bound < 1)) {
    throw new InvalidArgumentError(
      `A risk of at most ${bound} cannot be certified; with a confidence the bound lies between 0 and 1, e.g. 0.01, a drop of one point.`,
    )
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new InvalidArgumentError(
      `A confidence of ${confidence} cannot be promised; pass one between 0 and 1, e.g. 0.95.`,
    )
  }
}
