import type { BinaryOperator, ScoreExpression, UnaryOperator } from '@sluice/core'
import { greatestBest, greatestGap } from './score-features.ts'

/**
 * `Σ_k factors[k] * features[k]` of `extractFeatures` as data, a column.
 * @param factors one per feature
 */
export function expressFeatureSum(
  [logOddsFactor = 0, entropyFactor = 0, bestFactor = 0, ...leadFactors]: readonly number[],
  temperature: number,
  classCount: number,
): ScoreExpression {
  const best = over('row-maximum', 'scores')
  const fromBest = join(over('descending', 'scores'), 'subtract', best)
  // The gaps of `extractFeatures`, negative; the best class stands first, with 0.
  const gaps = join(join(fromBest, 'multiply', 1 / temperature), 'maximum', -greatestGap)
  const weights = over('exponential', gaps)
  const isOther = Array.from({ length: classCount }, (_, place) => (place === 0 ? 0 : 1))
  // Without the best class from the start: 1 and a small number lose the small one.
  const others = over('row-sum', join(weights, 'multiply', isOther))
  const all = join(others, 'add', 1)
  const weighted = over('row-sum', join(weights, 'multiply', gaps))

  const logOdds = over('logarithm', join(others, 'maximum', Math.exp(-greatestGap)))
  const entropy = join(over('logarithm', all), 'subtract', join(weighted, 'divide', all))
  const scaledBest = join(join(best, 'multiply', 1 / temperature), 'maximum', -greatestBest)
  const terms = [
    join(logOdds, 'multiply', -logOddsFactor),
    join(entropy, 'multiply', entropyFactor),
    join(join(scaledBest, 'minimum', greatestBest), 'multiply', bestFactor),
    over('row-sum', join(gaps, 'multiply', placeLeads(leadFactors, classCount))),
  ]
  const missing = leadFactors.slice(classCount - 1).reduce((sum, factor) => sum + factor * greatestGap, 0)
  return terms.reduce((sum, term) => join(sum, 'add', term), missing)
}

/** The factors of the negative gaps, the best class first. */
function placeLeads(factors: readonly number[], classCount: number): readonly number[] {
  return Array.from({ length: classCount }, (_, place) => (place === 0 ? 0 : -(factors[place - 1] ?? 0)))
}

function join(left: ScoreExpression, operator: BinaryOperator, right: ScoreExpression): ScoreExpression {
  return { operator, left, right }
}

function over(operator: UnaryOperator, of: ScoreExpression): ScoreExpression {
  return { operator, of }
}
