import {
  expressConfidence,
  fitTemperatures,
  InvalidArgumentError,
  joinFittedGates,
  measureConfidence,
  type PolicyFamily,
  readTemperatures,
  type ScoreExpression,
} from '@sluice/core'

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
        const gates = joinFittedGates(scores, context, temperatures.length, length)
        return gates
          .map((gate, index) => measureConfidence(gate, temperatures[index] as number))
          .reduce((least, confidence) => least.map((value, row) => Math.min(value, confidence[row] as number)))
      }
    },
    expressScore(parameters) {
      const [own, ...earlier] = readTemperatures(parameters).toReversed()
      return earlier.reduce<ScoreExpression>(
        (least, temperature, gate) => {
          const confidence = expressConfidence({ earlier: gate + 1 }, temperature)
          return { operator: 'minimum', left: least, right: confidence }
        },
        expressConfidence('scores', own as number),
      )
    },
  }
}
