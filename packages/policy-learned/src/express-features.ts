import type { BinaryOperator, ScoreExpression, UnaryOperator } from '@sluice/core'
import { greatestBest, greatestGap } from './score-features.ts'

/**
 * `constant + Σ_k factors[k] * features[k]` of `extractFeatures` as data, a column.
 * @param factors one per feature
 */
export function expressFeatureSum(
  [logOddsFactor = 0, entropyFactor = 0, bestFactor = 0, ...leadFactors]: readonly number[],
  constant: number,
  temperature: number,
  classCount: number,
): ScoreExpression {
  const ofPlaces = (value: (place: number) => readonly number[]) =>
    Array.from({ length: classCount }, (_, place) => value(place))
  const sorted = over('descending', 'scores')
  const best = multiply(
    sorted,
    ofPlaces((place) => [place === 0 ? 1 : 0]),
  )
  // The gaps of `extractFeatures`, negative; the best class stands first, with 0.
  const scaled = join(join(sorted, 'subtract', best), 'multiply', 1 / temperature)
  const gaps = join(scaled, 'maximum', -greatestGap)
  const weights = over('exponential', gaps)
  // Two columns: the weights of all classes but the best, and of all. 1 and a small number would lose the small one.
  const sums = multiply(
    weights,
    ofPlaces((place) => [place === 0 ? 0 : 1, 1]),
  )
  const chances = join(weights, 'divide', multiply(sums, [[0], [1]]))

  const logarithms = over('logarithm', join(sums, 'maximum', Math.exp(-greatestGap)))
  const scaledBest = join(join(best, 'multiply', 1 / temperature), 'maximum', -greatestBest)
  const missing = leadFactors.slice(classCount - 1).reduce((sum, factor) => sum + factor * greatestGap, constant)
  const terms = [
    multiply(logarithms, [[-logOddsFactor], [entropyFactor]]),
    multiply(
      join(chances, 'multiply', gaps),
      ofPlaces(() => [-entropyFactor]),
    ),
    multiply(
      gaps,
      ofPlaces((place) => [place === 0 ? 0 : -(leadFactors[place - 1] ?? 0)]),
    ),
    join(join(scaledBest, 'minimum', greatestBest), 'multiply', bestFactor),
  ]
  return terms.reduce((sum, term) => join(sum, 'add', term), missing)
}

function multiply(of: ScoreExpression, matrix: readonly (readonly number[])[]): ScoreExpression {
  return { operator: 'product', of, matrix }
}

function join(left: ScoreExpression, operator: BinaryOperator, right: ScoreExpression): ScoreExpression {
  return { operator, left, right }
}

function over(operator: UnaryOperator, of: ScoreExpression): ScoreExpression {
  return { operator, of }
}
