import {
  argmaxRows,
  fitTemperature,
  InvalidArgumentError,
  type JsonObject,
  type PolicyFamily,
  readTemperature,
} from '@sluice/core'
import { fitLogisticRegression, type LogisticModel } from './logistic-regression.ts'
import { extractFeatures, featureCount } from './score-features.ts'

/** Weak, and independent of the number of samples: some hundred rows overrule it. */
const penalty = 1

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
      const outcomes = new Uint8Array(sample.scores.rows)
      argmaxRows(sample.scores).forEach((answer, row) => {
        outcomes[row] = answer === sample.targets[row] ? 1 : 0
      })
      const features = extractFeatures(sample.scores, temperature)
      return { temperature, ...fitLogisticRegression(features, outcomes, featureCount, penalty) }
    },
    createScore(parameters) {
      const temperature = readTemperature(parameters)
      const model = readModel(parameters)
      return (scores) => predict(model, extractFeatures(scores, temperature), scores.rows)
    },
  }
}

function readModel(parameters: JsonObject): LogisticModel {
  const readList = (key: 'weights' | 'means' | 'deviations') => {
    const list = parameters[key]
    const isList = Array.isArray(list) && list.length === featureCount && list.every(Number.isFinite)
    return isList ? (list as readonly number[]) : refuse(key, list)
  }
  const { intercept } = parameters
  if (typeof intercept !== 'number' || !Number.isFinite(intercept)) refuse('intercept', intercept)
  return {
    intercept: intercept as number,
    weights: readList('weights'),
    means: readList('means'),
    deviations: readList('deviations'),
  }
}

function refuse(key: string, value: unknown): never {
  throw new InvalidArgumentError(
    `The learned confidence has ${key} ${JSON.stringify(value)}, which this release never writes. Calibrate the bundle again.`,
  )
}

function predict(model: LogisticModel, features: Float64Array, rows: number): Float32Array {
  const scale = Float64Array.from(model.weights, (weight, k) => weight / (model.deviations[k] as number))
  const base = scale.reduce((sum, factor, k) => sum - factor * (model.means[k] as number), model.intercept)
  const result = new Float32Array(rows)
  for (let row = 0, start = 0; row < rows; row++, start += featureCount) {
    let logit = base
    for (let k = 0; k < featureCount; k++) logit += (scale[k] as number) * (features[start + k] as number)
    result[row] = 1 / (1 + Math.exp(-logit))
  }
  return result
}
