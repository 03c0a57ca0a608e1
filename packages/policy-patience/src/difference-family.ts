import { fitTemperatures, joinFittedGates, type PolicyFamily, readTemperatures } from '@sluice/core'
import { writeSoftmax } from './write-softmax.ts'

/**
 * Exit score: how little the class probabilities have changed since the gate before, `1 - JSD(p, q) / ln 2` with the
 * Jensen-Shannon divergence `JSD(p, q) = H((p + q) / 2) - (H(p) + H(q)) / 2` of `p = softmax(z / T)` here and `q` there: 1
 * for the same probabilities, 0 for probabilities without a common class, and 0 at a network's first gate. Comparing
 * the predicted distributions of gates in a row, a softer form of patience, is F-PABEE's rule (Gao et al. 2023, arXiv
 * 2305.11916) at patience 1. `fit` gives `{ temperatures }` of both gates, this one's last, by minimal negative
 * log-likelihood (Guo et al., arXiv 1706.04599).
 */
export function createDifferenceFamily(): PolicyFamily {
  return {
    specVersion: 'v1',
    name: 'difference',
    range: [0, 1],
    usesEarlierGates: true,
    fit: (sample) => fitTemperatures(sample, 2),
    createScore(parameters) {
      const temperatures = readTemperatures(parameters)
      return (scores, context) => {
        const [before, here] = joinFittedGates(scores, context, temperatures.length, 2)
        const result = new Float32Array(scores.rows)
        if (before === undefined || here === undefined) return result
        const [q, p] = [new Float64Array(scores.classCount), new Float64Array(scores.classCount)]
        for (let row = 0, start = 0; row < scores.rows; row++, start += scores.classCount) {
          writeSoftmax(q, before, start, temperatures[0] as number)
          writeSoftmax(p, here, start, temperatures[1] as number)
          result[row] = Math.min(Math.max(1 - measureDivergence(p, q) / Math.LN2, 0), 1)
        }
        return result
      }
    },
  }
}

/** The Jensen-Shannon divergence in nats, up to rounding from 0 to ln 2. */
function measureDivergence(p: Float64Array, q: Float64Array): number {
  let sum = 0
  for (let c = 0; c < p.length; c++) {
    const [here, before] = [p[c] as number, q[c] as number]
    const both = here + before
    // Half of the least positive number is 0, so the mean itself must not be divided by.
    if (here > 0) sum += (here * Math.log((2 * here) / both)) / 2
    if (before > 0) sum += (before * Math.log((2 * before) / both)) / 2
  }
  return sum
}
