import {
  type ClassScores,
  fitTemperature,
  type GateContext,
  InvalidArgumentError,
  type JsonObject,
  noContext,
  type PolicyFamily,
  readTemperature,
} from '@sluice/core'
import { countFeatures, extractEarlierFeatures } from './earlier-features.ts'
import { fitChanceOfRight, predictRows, readLogisticModel, refuseParameter } from './logistic-score.ts'

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
      const { scores, targets, earlier = [] } = sample
      const gates = [...earlier, scores]
      const temperatures = gates.map((each) => fitTemperature({ scores: each, targets }))
      return { temperatures, ...fitChanceOfRight(extractEarlierFeatures(gates, temperatures), sample) }
    },
    createScore(parameters) {
      const temperatures = readTemperatures(parameters)
      const model = readLogisticModel(parameters, countFeatures(temperatures.length - 1))
      return (scores, context = noContext) => {
        const gates = joinGates(scores, context, temperatures.length)
        return predictRows(model, extractEarlierFeatures(gates, temperatures), scores.rows)
      }
    },
  }
}

function readTemperatures({ temperatures }: JsonObject): readonly number[] {
  if (!Array.isArray(temperatures) || temperatures.length === 0) return refuseParameter('temperatures', temperatures)
  return temperatures.map((temperature) => readTemperature({ temperature }))
}

function joinGates(scores: ClassScores, { earlier }: GateContext, count: number): readonly ClassScores[] {
  if (earlier.length + 1 === count) return [...earlier, scores]
  throw new InvalidArgumentError(
    `The gate was fitted with ${count - 1} earlier gates and is shown ${earlier.length}. Calibrate the bundle again.`,
  )
}
