import {
  type ClassScores,
  fitTemperature,
  type PolicyFamily,
  readTemperature,
  type ScoreExpression,
} from '@sluice/core'

export interface EntropyFamilyOptions {
  /** Whether `fit` looks for a temperature per gate (default), or leaves it at 1. */
  readonly fitTemperature?: boolean
}

/**
 * Exit score: one minus the normalised entropy of `p = softmax(z / T)`,
 * `1 - H(p) / ln C` with `H(p) = -Σ_c p_c ln p_c`: 0 for equal scores, 1 for certainty and for a single class. An exit
 * at low entropy is BranchyNet's rule (arXiv 1709.01686, algorithm 1), turned round so that higher is readier. `fit`
 * gives `{ temperature }` by minimal negative log-likelihood (Guo et al., arXiv 1706.04599).
 */
export function createEntropyFamily({ fitTemperature: isFitted = true }: EntropyFamilyOptions = {}): PolicyFamily {
  return {
    specVersion: 'v1',
    name: 'entropy',
    range: [0, 1],
    fit: (sample) => ({ temperature: isFitted ? fitTemperature(sample) : 1 }),
    createScore(parameters) {
      const temperature = readTemperature(parameters)
      return (scores) => scoreRows(scores, 1 / temperature)
    },
    expressScore: (parameters, classCount) => expressScore(1 / readTemperature(parameters), classCount),
  }
}

function scoreRows({ data, rows, classCount }: ClassScores, inverse: number): Float32Array {
  const result = new Float32Array(rows)
  if (classCount === 1) return result.fill(1)
  const greatest = Math.log(classCount)
  for (let row = 0, start = 0; row < rows; row++, start += classCount) {
    let best = data[start] as number
    for (let i = start + 1; i < start + classCount; i++) best = Math.max(best, data[i] as number)
    let [weights, gaps] = [0, 0]
    for (let i = start; i < start + classCount; i++) {
      const gap = (best - (data[i] as number)) * inverse
      const weight = Math.exp(-gap)
      weights += weight
      // A gap that overflows has weight 0 and would give NaN.
      if (weight > 0) gaps += weight * gap
    }
    // H = ln Σ w + Σ w g / Σ w for weights w = exp(-g): no logarithm of a probability that is 0.
    result[row] = Math.max(0, 1 - (Math.log(weights) + gaps / weights) / greatest)
  }
  return result
}

/** Beyond this gap a weight is 0 in single precision; held there, so that an overflowing gap gives 0 and not NaN. */
const greatestGap = 200

/** {@link scoreRows} as data. */
function expressScore(inverse: number, classCount: number): ScoreExpression {
  const best = { operator: 'row-maximum', of: 'scores' } as const
  if (classCount === 1) return { operator: 'add', left: { operator: 'multiply', left: best, right: 0 }, right: 1 }
  const wide = {
    operator: 'multiply',
    left: { operator: 'subtract', left: best, right: 'scores' },
    right: inverse,
  } as const
  const gaps = { operator: 'minimum', left: wide, right: greatestGap } as const
  const weights = { operator: 'exponential', of: { operator: 'multiply', left: gaps, right: -1 } } as const
  const sum = { operator: 'row-sum', of: weights } as const
  const gapSum = { operator: 'row-sum', of: { operator: 'multiply', left: weights, right: gaps } } as const
  const logarithm = { operator: 'logarithm', of: sum } as const
  const mean = { operator: 'divide', left: gapSum, right: sum } as const
  const entropy = { operator: 'add', left: logarithm, right: mean } as const
  const share = { operator: 'divide', left: entropy, right: Math.log(classCount) } as const
  return { operator: 'maximum', left: { operator: 'subtract', left: 1, right: share }, right: 0 }
}
