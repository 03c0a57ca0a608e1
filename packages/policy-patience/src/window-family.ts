import {
  type ClassScores,
  fitTemperatures,
  InvalidArgumentError,
  joinFittedGates,
  type PolicyFamily,
  readTemperatures,
} from '@sluice/core'
import { writeSoftmax } from './write-softmax.ts'

/**
 * Exit score: the least confidence of the last `length` gates, this one included: `min_i max_c p_i,c` with
 * `p_i = softmax(z_i / T_i)`. So a row leaves once `length` gates in a row are sure. That is PCEE-BERT's rule (Zhang et
 * al., Findings of NAACL 2022, pages 327-338), which measures confidence by entropy and lets no row leave before the gate
 * number `length`; here the first gates look at as many gates as there are. `fit` gives `{ temperatures }`, this gate's last,
 * by minimal negative log-likelihood (Guo et al., arXiv 1706.04599).
 *
 * @throws InvalidArgumentError for a length that is not an integer >= 1
 */
export function createWindowFamily({ length = 2 }: { readonly length?: number } = {}): PolicyFamily {
  if (!Number.isInteger(length) || length < 1) {
    throw new InvalidArgumentError(`The window's length is ${length}; pass an integer >= 1.`)
  }
  return {
    specVersion: 'v1',
    name: 'window',
    range: [0, 1],
    usesEarlierGates: true,
    fit: (sample) => fitTemperatures(sample, length),
    createScore(parameters) {
      const temperatures = readTemperatures(parameters)
      return (scores, context) => {
        const result = new Float32Array(scores.rows).fill(1)
        joinFittedGates(scores, context, temperatures.length, length).forEach((gate, index) => {
          lowerToConfidence(result, gate, temperatures[index] as number)
        })
        return result
      }
    },
  }
}

function lowerToConfidence(result: Float32Array, scores: ClassScores, temperature: number): void {
  const { classCount } = scores
  const p = new Float64Array(classCount)
  for (let row = 0; row < result.length; row++) {
    const best = writeSoftmax(p, scores, row * classCount, temperature).reduce((most, value) => Math.max(most, value))
    result[row] = Math.min(result[row] as number, best)
  }
}
