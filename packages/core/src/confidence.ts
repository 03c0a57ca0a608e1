import type { ClassScores } from './class-scores.ts'
import type { ScoreExpression } from './score-expression.ts'

/**
 * The greatest softmax probability of each row at a temperature, `[rows]`: `max_c p_c = 1 / Σ_j exp((z_j - max z) / T)`, from
 * `1 / classCount` to 1 (Hendrycks and Gimpel, arXiv 1610.02136).
 *
 * @param temperature above 0
 */
export function measureConfidence({ data, rows, classCount }: ClassScores, temperature: number): Float32Array {
  const inverse = 1 / temperature
  const result = new Float32Array(rows)
  for (let row = 0, start = 0; row < rows; row++, start += classCount) {
    let best = data[start] as number
    for (let i = start + 1; i < start + classCount; i++) best = Math.max(best, data[i] as number)
    let sum = 0
    for (let i = start; i < start + classCount; i++) sum += Math.exp(((data[i] as number) - best) * inverse)
    result[row] = 1 / sum
  }
  return result
}

/** {@link measureConfidence} as data. @param scores class scores, e.g. `'scores'` */
export function expressConfidence(scores: ScoreExpression, temperature: number): ScoreExpression {
  const logits = { operator: 'divide', left: scores, right: temperature } as const
  return { operator: 'row-maximum', of: { operator: 'softmax', of: temperature === 1 ? scores : logits } }
}
