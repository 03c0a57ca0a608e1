import { binomialTail } from './binomial-tail.ts'
import { checkGuarantee, hoeffdingBentkusPValue } from './p-value.ts'

/** What is to hold on unseen samples. */
export interface RiskTarget {
  /** The risk may be this at most, 0..1. */
  readonly bound: number
  /** Chance that it is, over the draw of the calibration samples, 0..1. */
  readonly confidence: number
}

/**
 * The most aggressive step of a path for which the risk is shown to be at most the bound: Learn then Test
 * (Angelopoulos et al., arXiv 2110.01052) with fixed-sequence testing. Steps are tested from the safest on, each at the
 * whole level, and testing ends at the first that does not pass; so `P(risk <= bound) >= confidence`, whatever the path,
 * if it was made from other samples.
 *
 * @param losses sum of the losses of all samples at each step, `[steps]`; step 0 changes nothing and needs no test
 * @returns 0 where nothing could be shown
 * @throws InvalidArgumentError for a bound or confidence outside 0..1
 */
export function learnThenTest(losses: ArrayLike<number>, samples: number, target: RiskTarget): number {
  checkGuarantee(target)
  const level = 1 - target.confidence
  let step = 0
  while (step + 1 < losses.length) {
    if (hoeffdingBentkusPValue(losses[step + 1] as number, samples, target.bound) > level) break
    step++
  }
  return step
}

/**
 * The most aggressive step whose expected risk on a new sample is at most the bound: conformal risk control
 * (Angelopoulos et al., arXiv 2208.02814, theorem 1) for losses in 0..1 that never fall along the path:
 * `(n R + 1) / (n + 1) <= bound`. It holds on average over calibration samples, not with high probability.
 *
 * @param losses sum of the losses of all samples at each step, `[steps]`, non-decreasing
 * @throws InvalidArgumentError for a bound outside 0..1
 */
export function controlConformalRisk(losses: ArrayLike<number>, samples: number, bound: number): number {
  checkGuarantee({ bound, confidence: 0.5 })
  let step = 0
  while (step + 1 < losses.length && ((losses[step + 1] as number) + 1) / (samples + 1) <= bound) step++
  return step
}

/**
 * The upper confidence bound of a risk whose losses are 0 or 1, for a single operating point that was fixed before
 * (Clopper and Pearson, 1934): the greatest chance under which so few losses still happen with probability
 * `1 - confidence`.
 *
 * @param losses number of samples with a loss
 * @throws InvalidArgumentError for a confidence outside 0..1
 */
export function boundRisk(losses: number, samples: number, confidence: number): number {
  checkGuarantee({ bound: 0.5, confidence })
  if (losses >= samples) return 1
  let [low, high] = [losses / samples, 1]
  for (let round = 0; round < 100 && high > low; round++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (binomialTail(losses, samples, middle) > 1 - confidence) low = middle
    else high = middle
  }
  return high
}
