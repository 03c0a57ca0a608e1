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
  const columns = (...values: readonly ((place: number) => number)[]) =>
    Array.from({ length: classCount }, (_, place) => values.map((value) => value(place)))
  const ofAll = () => 1
  const ofOthers = (place: number) => (place === 0 ? 0 : 1)

  const sorted = over('descending', 'scores')
  const best = over('row-maximum', 'scores')
  // The gaps of `extractFeatures`, negative; the best class stands first, with 0.
  const scaledGaps = join(join(sorted, 'subtract', best), 'multiply', 1 / temperature)
  const gaps = join(scaledGaps, 'maximum', -greatestGap)
  const weights = over('exponential', gaps)
  // All but the best in a sum of their own: 1 and a small number lose the small one.
  const sums = multiply(weights, columns(ofOthers, ofAll))
  const chances = join(weights, 'divide', multiply(sums, [[0], [1]]))
  const logarithms = over('logarithm', join(sums, 'maximum', Math.exp(-greatestGap)))
  const scaledBest = join(join(best, 'multiply', 1 / temperature), 'maximum', -greatestBest)

  const missing = leadFactors.slice(classCount - 1).reduce((sum, factor) => sum + factor * greatestGap, constant)
  const ofLeads = (place: number) => (place === 0 ? 0 : -(leadFactors[place - 1] ?? 0))
  const terms = [
    multiply(logarithms, [[-logOddsFactor], [entropyFactor]]),
    multiply(
      join(chances, 'multiply', gaps),
      columns(() => -entropyFactor),
    ),
    multiply(gaps, columns(ofLeads)),
    join(join(scaledBest, 'minimum', greatestBest), 'multiply', bestFactor),
  ]
  return terms.reduce((sum, term) => join(sum, 'add', term), missing)
}

/**
 * What {@link extractEarlierFeatures} adds for one earlier gate, `factors[0] * logOdds + factors[1] * isSame`, as data, a column.
 * @param distance of the earlier gate, 1 for the nearest
 */
export function expressEarlierSum(
  [logOddsFactor = 0, sameFactor = 0]: readonly number[],
  distance: number,
  temperature: number,
): ScoreExpression {
  const before: ScoreExpression = { earlier: distance }
  const answer = over('row-answer', 'scores')
  const ofAnswer = (values: ScoreExpression) => over('row-sum', join(answer, 'multiply', values))
  const gaps = join(join(before, 'subtract', ofAnswer(before)), 'multiply', 1 / temperature)
  const weights = over('exponential', join(gaps, 'minimum', greatestGap))
  // The answer's own weight is left out, not subtracted: 1 and a small number lose the small one.
  const others = over('row-sum', join(join(1, 'subtract', answer), 'multiply', weights))
  const [least, most] = [Math.exp(-greatestGap), Math.exp(greatestGap)]
  const odds = over('logarithm', join(join(others, 'maximum', least), 'minimum', most))
  const isSame = ofAnswer(over('row-answer', before))
  return join(join(odds, 'multiply', -logOddsFactor), 'add', join(isSame, 'multiply', sameFactor))
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
