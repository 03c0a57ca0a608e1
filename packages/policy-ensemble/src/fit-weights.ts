import { type ClassScores, fitTemperature, type GateSample } from '@sluice/core'
import { mixRow } from './combine-scores.ts'
import { minimise, type Objective } from './minimise.ts'

/**
 * Weight of `(Σ_i (v_i - ln 1/k)² + Σ_c b_c²) / 2` against the summed cross-entropy: weak, some hundred rows overrule it,
 * but it keeps weights and biases finite where all rows are right.
 */
const penalty = 1

/** In cross-entropy per row; what is left to gain is a hundred times less than the next sample would change. */
const gradientTolerance = 1e-5

const maxSteps = 200

/** The fitted weights and biases, as a bundle keeps them. */
export interface FittedWeights {
  readonly weights: readonly number[]
  readonly bias: readonly number[]
}

/**
 * The weights `w_i = e^{v_i} / T_i` and biases `b` that minimise the cross-entropy of the targets under
 * `softmax(b + Σ_i w_i z_i)`. `T_i` is the temperature that fits gate `i` by itself: on its scale gates of any loss
 * compare, so that the penalty can pull towards equal weights. Deterministic.
 *
 * @param gates class scores of the gates on the tuning samples, same rows
 * @throws ShapeMismatchError, InvalidArgumentError, NonFiniteValueError as `checkGateSample`
 */
export function fitWeights(gates: readonly ClassScores[], targets: GateSample['targets']): FittedWeights {
  const classCount = gates[0]?.classCount ?? 0
  const inverses = gates.map((scores) => 1 / fitTemperature({ scores, targets }))
  const start = new Float64Array(gates.length + classCount).fill(Math.log(1 / gates.length), 0, gates.length)
  const { point } = minimise(createObjective(gates, targets, inverses), start, { gradientTolerance, maxSteps })
  return readPoint(point, inverses)
}

/** Weights and biases at a point `[v, b / √C]`: divided so, all coordinates have curvatures of one order. */
export function readPoint(point: Float64Array, inverses: readonly number[]): FittedWeights {
  const biasScale = Math.sqrt(point.length - inverses.length)
  return {
    weights: inverses.map((inverse, gate) => inverse * Math.exp(point[gate] as number)),
    bias: Array.from(point.subarray(inverses.length), (value) => value * biasScale),
  }
}

/** The penalised cross-entropy per row at the points that `readPoint` reads. */
export function createObjective(
  gates: readonly ClassScores[],
  targets: GateSample['targets'],
  inverses: readonly number[],
): Objective {
  const classCount = gates[0]?.classCount ?? 0
  const rows = targets.length
  const residuals = new Float64Array(classCount)
  const prior = Math.log(1 / gates.length)
  const scale = (i: number) => (i < gates.length ? 1 : Math.sqrt(classCount))
  return (point, gradient) => {
    const ensemble = readPoint(point, inverses)
    const biasGradient = gradient.fill(0).subarray(gates.length)
    let value = 0
    for (let row = 0, start = 0; row < rows; row++, start += classCount) {
      mixRow(residuals, gates, start, ensemble)
      value += takeResiduals(residuals, targets[row] as number)
      for (let c = 0; c < classCount; c++) biasGradient[c] = (biasGradient[c] as number) + (residuals[c] as number)
      gates.forEach(({ data }, gate) => {
        let sum = 0
        for (let c = 0; c < classCount; c++) sum += (residuals[c] as number) * (data[start + c] as number)
        gradient[gate] = (gradient[gate] as number) + (ensemble.weights[gate] as number) * sum
      })
    }
    for (let i = 0; i < point.length; i++) {
      const offset = scale(i) * (point[i] as number) - (i < gates.length ? prior : 0)
      value += (penalty * offset * offset) / 2
      gradient[i] = (scale(i) * ((gradient[i] as number) + penalty * offset)) / rows
    }
    return value / rows
  }
}

/** Turns a row's logits into `softmax(logits)` less 1 at the target. Returns its cross-entropy. */
function takeResiduals(logits: Float64Array, target: number): number {
  let best = Number.NEGATIVE_INFINITY
  for (let c = 0; c < logits.length; c++) best = Math.max(best, logits[c] as number)
  const gap = best - (logits[target] as number)
  let sum = 0
  for (let c = 0; c < logits.length; c++) {
    const weight = Math.exp((logits[c] as number) - best)
    logits[c] = weight
    sum += weight
  }
  for (let c = 0; c < logits.length; c++) logits[c] = (logits[c] as number) / sum
  logits[target] = (logits[target] as number) - 1
  return gap + Math.log(sum)
}
