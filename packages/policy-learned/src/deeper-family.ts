import { fitTemperatures, joinFittedGates, type PolicyFamily, readTemperatures } from '@sluice/core'
import { countFeatures, extractEarlierFeatures } from './earlier-features.ts'
import { fitChanceOfRight, predictRows, readLogisticModel } from './logistic-score.ts'

/**
 * Exit score: the chance, by a logistic model on this gate's class scores and those of the gates in front, that there is
 * nothing to be mended by going deeper: that this gate's answer is its target (the label, or the full network's answer
 * where there are no labels). `extractEarlierFeatures` says what the model sees; at a network's first gate it is that of
 * `createLearnedFamily`. `fit` gives `{ temperatures, intercept, weights, means, deviations }`, this gate's temperature
 * last, by penalised maximum likelihood. A gate that learns from the network's own outputs when to exit is JEI-DNN's idea
 * (Regol et al. 2023, arXiv 2310.09163), which trains gates and heads together; here the heads are as they are, and the
 * features are our choice.
 */
export function createDeeperFamily(): PolicyFamily {
  return {
    specVersion: 'v1',
    name: 'learned-deeper',
    range: [0, 1],
    usesEarlierGates: true,
    fit(sample) {
      const { temperatures } = fitTemperatures(sample)
      const gates = [...(sample.earlier ?? []), sample.scores]
      return { temperatures, ...fitChanceOfRight(extractEarlierFeatures(gates, temperatures), sample) }
    },
    createScore(parameters) {
      const temperatures = readTemperatures(parameters)
      const model = readLogisticModel(parameters, countFeatures(temperatures.length - 1))
      return (scores, context) => {
        const gates = joinFittedGates(scores, context, temperatures.length)
        return predictRows(model, extractEarlierFeatures(gates, temperatures), scores.rows)
      }
    },
  }
}
