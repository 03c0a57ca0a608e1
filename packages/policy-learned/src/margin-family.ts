import {
  type ClassScores,
  checkGateSample,
  type ExitScore,
  InvalidArgumentError,
  type JsonObject,
  type PolicyFamily,
  type ScoreExpression,
  ShapeMismatchError,
} from '@sluice/core'

/** Which distance to the decision boundary is compared with the threshold. */
export type MarginScore = 'maximum' | 'difference' | 'distance'

/**
 * The d-gate of arXiv 1811.01476: exit where a sample is far from the decision boundary of a head trained with a
 * hinge loss. The text leaves the measure open, so there are three, each a family of its own name:
 * - `maximum`, family `margin`: `max_j z_j`, the signed score of the winning class;
 * - `difference`, family `margin-difference`: `z_(1) - z_(2)`, the lead over the runner-up, 0 for a single class;
 * - `distance`, family `margin-distance`: `max_j z_j / ||w_j||`, the distance to the farthest class boundary in the
 *   space of the last layer's inputs. `fit` keeps the norms as `{ weightNorms }`.
 *
 * The families learn nothing from the samples; what one score means differs from gate to gate.
 */
export function createMarginFamily({ score = 'maximum' }: { readonly score?: MarginScore } = {}): PolicyFamily {
  return families[score]
}

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const

const families: Record<MarginScore, PolicyFamily> = {
  maximum: {
    specVersion: 'v1',
    name: 'margin',
    range: unbounded,
    fit: fitNothing,
    createScore: () => scoreMaximum,
    expressScore: () => ({ operator: 'row-maximum', of: 'scores' }),
  },
  difference: {
    specVersion: 'v1',
    name: 'margin-difference',
    range: [0, Number.POSITIVE_INFINITY],
    fit: fitNothing,
    createScore: () => scoreDifference,
    expressScore: (_parameters, classCount) => expressDifference(classCount),
  },
  distance: {
    specVersion: 'v1',
    name: 'margin-distance',
    range: unbounded,
    fit(sample) {
      checkGateSample(sample)
      const { weightNorms, scores } = sample
      if (weightNorms.length !== scores.classCount) {
        throw new ShapeMismatchError('weightNorms', [weightNorms.length], [scores.classCount])
      }
      return { weightNorms: [...checkWeightNorms(weightNorms)] }
    },
    createScore: ({ weightNorms }) => createDistanceScore(checkWeightNorms(weightNorms)),
    expressScore({ weightNorms }) {
      const inverses = checkWeightNorms(weightNorms).map((norm) => 1 / norm)
      return { operator: 'row-maximum', of: { operator: 'multiply', left: 'scores', right: inverses } }
    },
  },
}

function fitNothing(sample: Parameters<PolicyFamily['fit']>[0]): JsonObject {
  checkGateSample(sample)
  return {}
}

function checkWeightNorms(weightNorms: unknown): readonly number[] {
  const isNorm = (norm: unknown) => typeof norm === 'number' && norm > 0 && Number.isFinite(norm)
  if (Array.isArray(weightNorms) && weightNorms.length > 0 && weightNorms.every(isNorm)) return weightNorms
  throw new InvalidArgumentError(
    `The gate's weightNorms are ${JSON.stringify(weightNorms)}; they must be numbers > 0, one per class. ` +
      "Fit the head again, or use the family 'margin', which does without them.",
  )
}

function scoreMaximum({ data, rows, classCount }: ClassScores): Float32Array {
  const result = new Float32Array(rows)
  for (let row = 0, start = 0; row < rows; row++, start += classCount) {
    let best = data[start] as number
    for (let i = start + 1; i < start + classCount; i++) best = Math.max(best, data[i] as number)
    result[row] = best
  }
  return result
}

function scoreDifference({ data, rows, classCount }: ClassScores): Float32Array {
  const result = new Float32Array(rows)
  if (classCount === 1) return result
  for (let row = 0, start = 0; row < rows; row++, start += classCount) {
    let [best, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let i = start; i < start + classCount; i++) {
      const score = data[i] as number
      second = Math.max(second, Math.min(best, score))
      best = Math.max(best, score)
    }
    result[row] = best - second
  }
  return result
}

function createDistanceScore(weightNorms: readonly number[]): ExitScore {
  const inverses = Float64Array.from(weightNorms, (norm) => 1 / norm)
  return ({ data, rows, classCount }) => {
    if (classCount !== inverses.length)
      throw new ShapeMismatchError('scores', [rows, classCount], [rows, inverses.length])
    const result = new Float32Array(rows)
    for (let row = 0, start = 0; row < rows; row++, start += classCount) {
      let best = Number.NEGATIVE_INFINITY
      for (let c = 0; c < classCount; c++) best = Math.max(best, (data[start + c] as number) * (inverses[c] as number))
      result[row] = best
    }
    return result
  }
}

/** The two greatest scores with the factors 1 and -1, all others with 0. */
function expressDifference(classCount: number): ScoreExpression {
  if (classCount === 1) return { operator: 'multiply', left: 'scores', right: 0 }
  const factors = Array.from({ length: classCount }, (_, index) => [1, -1][index] ?? 0)
  const ordered = { operator: 'descending', of: 'scores' } as const
  return { operator: 'row-sum', of: { operator: 'multiply', left: ordered, right: factors } }
}
