import type { ClassScores, ScoreExpression } from '@sluice/core'

/** How a gate weighs the class scores of itself and of the gates in front. */
export interface EnsembleWeights {
  /** `[gates]`, this gate's last, each >= 0. */
  readonly weights: readonly number[]
  /** `[classes]`. */
  readonly bias: ArrayLike<number>
}

/** The least finite number of single precision; a lesser logarithm would be written as minus infinity, which no answer may be. */
const leastLogProbability = -(2 - 2 ** -23) * 2 ** 127

/**
 * Log-probabilities of the ensemble, `log softmax(b + Σ_i w_i z_i)`, `[rows, classes]`. Scores `z_i` in
 * place of `log p_i` change nothing, because they differ by the same amount for all classes of a row.
 *
 * @param gates class scores of the gates, in the order of the weights, same rows
 */
export function combineScores(gates: readonly ClassScores[], { weights, bias }: EnsembleWeights): ClassScores {
  const classCount = bias.length
  const rows = gates[0]?.rows ?? 0
  const data = new Float32Array(rows * classCount)
  const logits = new Float64Array(classCount)
  for (let start = 0; start < data.length; start += classCount) {
    mixRow(logits, gates, start, { weights, bias })
    const shift = findLogSum(logits)
    for (let c = 0; c < classCount; c++) {
      data[start + c] = Math.max((logits[c] as number) - shift, leastLogProbability)
    }
  }
  return { data, rows, classCount }
}

/** Writes `b + Σ_i w_i z_i` of the row whose scores begin at `start` into `logits`, `[classes]`. */
export function mixRow(
  logits: Float64Array,
  gates: readonly ClassScores[],
  start: number,
  { weights, bias }: EnsembleWeights,
): void {
  logits.set(bias)
  gates.forEach(({ data }, gate) => {
    const weight = weights[gate] as number
    for (let c = 0; c < logits.length; c++) logits[c] = (logits[c] as number) + weight * (data[start + c] as number)
  })
}

/** {@link combineScores} as data, of the gate's class scores and those of the gates in front. */
export function expressCombination({ weights, bias }: EnsembleWeights): ScoreExpression {
  const logits = weights.reduce<ScoreExpression>((sum, weight, gate) => {
    const distance = weights.length - 1 - gate
    const scores = distance === 0 ? 'scores' : { earlier: distance }
    return { operator: 'add', left: sum, right: { operator: 'multiply', left: scores, right: weight } }
  }, Array.from(bias))
  return { operator: 'log-softmax', of: logits }
}

/** `log Σ exp(values)`. */
function findLogSum(values: Float64Array): number {
  const best = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  return best + Math.log(values.reduce((sum, value) => sum + Math.exp(value - best), 0))
}
