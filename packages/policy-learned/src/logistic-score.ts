import { argmaxRows, type GateSample, InvalidArgumentError, type JsonObject, type ScoreExpression } from '@sluice/core'
import { fitLogisticRegression, type LogisticModel } from './logistic-regression.ts'

/** Weak, and independent of the number of samples: some hundred rows overrule it. */
const penalty = 1

/**
 * How strongly each of so many channels of the network is held back. Gaussian priors of that precision let them move the
 * log-odds by a quarter together: the head in front was fitted on the same channels and has left little. Log-likelihoods on
 * training images that ResNet-56's heads had not seen are best from 16 to 64 times the number of channels.
 */
function penaliseChannel(channels: number): number {
  return 16 * channels
}

/**
 * Fits the chance that a gate's answer is the target.
 * @param features `[rows, width]` of the sample's rows
 * @param channels how many of them, the last ones, are channels of the network
 */
export function fitChanceOfRight(features: Float64Array, { scores, targets }: GateSample, channels = 0): LogisticModel {
  const outcomes = Uint8Array.from(argmaxRows(scores), (answer, row) => (answer === targets[row] ? 1 : 0))
  const width = features.length / scores.rows
  const penalties = Array.from({ length: width }, (_, k) =>
    k < width - channels ? penalty : penaliseChannel(channels),
  )
  return fitLogisticRegression(features, outcomes, penalties)
}

/**
 * The model among a gate's fitted parameters.
 * @param width number of features
 * @throws InvalidArgumentError unless it is what `fitLogisticRegression` gives for so many features
 */
export function readLogisticModel(parameters: JsonObject, width: number): LogisticModel {
  const readList = (key: 'weights' | 'means' | 'deviations') => {
    const list = parameters[key]
    const isList = Array.isArray(list) && list.length === width && list.every(Number.isFinite)
    return isList ? (list as readonly number[]) : refuseParameter(key, list)
  }
  const { intercept } = parameters
  if (typeof intercept !== 'number' || !Number.isFinite(intercept)) refuseParameter('intercept', intercept)
  return {
    intercept: intercept as number,
    weights: readList('weights'),
    means: readList('means'),
    deviations: readList('deviations'),
  }
}

/** @throws InvalidArgumentError that names the parameter and its value */
function refuseParameter(key: string, value: unknown): never {
  throw new InvalidArgumentError(
    `The learned confidence has ${key} ${JSON.stringify(value)}, which this release never writes. Calibrate the bundle again.`,
  )
}

/** The model's probability for every row of `features`, `[rows, width]`. */
export function predictRows(model: LogisticModel, features: Float64Array, rows: number): Float32Array {
  const width = model.weights.length
  const { factors, constant } = foldStandardisation(model)
  const result = new Float32Array(rows)
  for (let row = 0, start = 0; row < rows; row++, start += width) {
    let logit = constant
    for (let k = 0; k < width; k++) logit += (factors[k] as number) * (features[start + k] as number)
    result[row] = 1 / (1 + Math.exp(-logit))
  }
  return result
}

/** {@link predictRows} as data. @param sumFeatures gives `constant + Σ_k factors[k] * features[k]`, a column */
export function expressChance(
  model: LogisticModel,
  sumFeatures: (factors: readonly number[], constant: number) => ScoreExpression,
): ScoreExpression {
  const { factors, constant } = foldStandardisation(model)
  return { operator: 'logistic', of: sumFeatures(factors, constant) }
}

/** The model's logit as `constant + Σ_k factors[k] * x[k]`. */
function foldStandardisation({ intercept, weights, means, deviations }: LogisticModel) {
  const factors = weights.map((weight, k) => weight / (deviations[k] as number))
  return { factors, constant: factors.reduce((sum, factor, k) => sum - factor * (means[k] as number), intercept) }
}
