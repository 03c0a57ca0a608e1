import { fitTemperature, type PolicyFamily, readTemperature } from '@sluice/core'
import { expressFeatureSum } from './express-features.ts'
import { expressChance, fitChanceOfRight, predictRows, readLogisticModel } from './logistic-score.ts'
import { extractFeatures, featureCount } from './score-features.ts'

/**
 * Exit score: the chance, by a logistic model on the sorted class scores, that this gate's answer is its target (the
 * label, or the full network's answer where there are no labels). `extractFeatures` says what the model sees;
 * `fit` gives `{ temperature, intercept, weights, means, deviations }` by penalised maximum likelihood. The idea of
 * learning when to trust an exit from its scores: EENet, arXiv 2301.07099, and JEI-DNN, arXiv 2310.09163.
 */
export function createLearnedFamily(): PolicyFamily {
  return {
    specVersion: 'v1',
    name: 'learned',
    range: [0, 1],
    fit(sample) {
      const temperature = fitTemperature(sample)
      return { temperature, ...fitChanceOfRight(extractFeatures(sample.scores, temperature), sample) }
    },
    createScore(parameters) {
      const temperature = readTemperature(parameters)
      const model = readLogisticModel(parameters, featureCount)
      return (scores) => predictRows(model, extractFeatures(scores, temperature), scores.rows)
    },
    expressScore(parameters, classCount) {
      const model = readLogisticModel(parameters, featureCount)
      const temperature = readTemperature(parameters)
      return expressChance(model, (factors, constant) => expressFeatureSum(factors, constant, temperature, classCount))
    },
  }
}
