import { expressConfidence, fitTemperature, measureConfidence, type PolicyFamily, readTemperature } from '@sluice/core'

export interface SoftmaxFamilyOptions {
  /** Whether `fit` looks for a temperature per gate (default), or leaves it at 1. */
  readonly fitTemperature?: boolean
}

/**
 * Exit score: the greatest softmax probability at temperature `T`,
 * `max_c p_c = 1 / Σ_j exp((z_j - max z) / T)`, from `1 / classCount` to 1 (Hendrycks and Gimpel, arXiv 1610.02136;
 * as an exit rule: Shallow-Deep Networks, arXiv 1810.07052). `fit` gives `{ temperature }` by minimal negative
 * log-likelihood (Guo et al., arXiv 1706.04599), so that the score is near to the chance of being right and one
 * confidence means the same at every gate. In float32 a probability within 3e-8 of 1 is 1.
 */
export function createSoftmaxFamily({ fitTemperature: isFitted = true }: SoftmaxFamilyOptions = {}): PolicyFamily {
  return {
    specVersion: 'v1',
    name: 'softmax',
    range: [0, 1],
    fit: (sample) => ({ temperature: isFitted ? fitTemperature(sample) : 1 }),
    createScore(parameters) {
      const temperature = readTemperature(parameters)
      return (scores) => measureConfidence(scores, temperature)
    },
    expressScore: (parameters) => expressConfidence('scores', readTemperature(parameters)),
  }
}
