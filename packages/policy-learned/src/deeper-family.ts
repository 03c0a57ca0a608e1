import {
  fitTemperatures,
  type JsonObject,
  joinFittedGates,
  type PolicyFamily,
  readTemperatures,
  type ScoreExpression,
} from '@sluice/core'
import { countFeatures, extractEarlierFeatures } from './earlier-features.ts'
import { expressEarlierSum, expressFeatureSum } from './express-features.ts'
import { expressChance, fitChanceOfRight, predictRows, readLogisticModel } from './logistic-score.ts'
import { appendChannels, readChannels } from './network-channels.ts'
import { featureCount } from './score-features.ts'

export interface DeeperFamilyOptions {
  /** Whether the model also sees pooled features of the network, which the gates then must yield; false when absent. */
  readonly features?: boolean
}

/**
 * Exit score: the chance, by a logistic model on this gate's class scores and those of the gates in front, that there is
 * nothing to be mended by going deeper: that this gate's answer is its target (the label, or the full network's answer
 * where there are no labels). `extractEarlierFeatures` says what the model sees; at a network's first gate it is that of
 * `createLearnedFamily`. `fit` gives `{ temperatures, intercept, weights, means, deviations }`, this gate's temperature
 * last, by penalised maximum likelihood. A gate that learns from the network's own outputs when to exit is JEI-DNN's idea
 * (Regol et al. 2023, arXiv 2310.09163), which trains gates and heads together; here the heads are as they are, and the
 * features are our choice.
 *
 * With `features` the family is `learned-features`: behind all that, the model sees the mean of each channel of the network
 * at the gate's cut. `fit` then also gives their number, `channels`.
 */
export function createDeeperFamily({ features: usesFeatures = false }: DeeperFamilyOptions = {}): PolicyFamily {
  return {
    specVersion: 'v1',
    name: usesFeatures ? 'learned-features' : 'learned-deeper',
    range: [0, 1],
    usesEarlierGates: true,
    usesFeatures,
    fit(sample) {
      const { temperatures } = fitTemperatures(sample)
      const gates = [...(sample.earlier ?? []), sample.scores]
      const inputs = extractEarlierFeatures(gates, temperatures)
      if (!usesFeatures) return { temperatures, ...fitChanceOfRight(inputs, sample) }
      const channels = sample.features?.width ?? 0
      return { temperatures, channels, ...fitChanceOfRight(appendChannels(inputs, sample.features), sample, channels) }
    },
    createScore(parameters) {
      const temperatures = readTemperatures(parameters)
      const channels = usesFeatures ? readChannels(parameters) : 0
      const model = readLogisticModel(parameters, countFeatures(temperatures.length - 1) + channels)
      return (scores, context) => {
        const gates = joinFittedGates(scores, context, temperatures.length)
        const inputs = extractEarlierFeatures(gates, temperatures)
        const seen = usesFeatures ? appendChannels(inputs, context?.features, channels) : inputs
        return predictRows(model, seen, scores.rows)
      }
    },
    // Expressions see class scores alone.
    ...(!usesFeatures && { expressScore: expressDeeper }),
  }
}

function expressDeeper(parameters: JsonObject, classCount: number): ScoreExpression {
  const temperatures = readTemperatures(parameters)
  const earlier = temperatures.slice(0, -1)
  const model = readLogisticModel(parameters, countFeatures(earlier.length))
  return expressChance(model, (factors, constant) =>
    earlier.reduce<ScoreExpression>(
      (sum, temperature, gate) => {
        const ofGate = factors.slice(countFeatures(gate), countFeatures(gate + 1))
        const term = expressEarlierSum(ofGate, earlier.length - gate, temperature)
        return { operator: 'add', left: sum, right: term }
      },
      expressFeatureSum(factors.slice(0, featureCount), constant, temperatures.at(-1) as number, classCount),
    ),
  )
}
