/** `P(y = 1 | x) = 1 / (1 + exp(-intercept - Σ_k weights[k] * (x[k] - means[k]) / deviations[k]))`. */
export interface LogisticModel {
  readonly intercept: number
  /** One per feature, as are `means` and `deviations`. */
  readonly weights: readonly number[]
  readonly means: readonly number[]
  readonly deviations: readonly number[]
}

const steps = 30

/**
 * Fits a logistic regression on standardised features by iteratively reweighted least squares (Newton's method; Hastie
 * et al., The Elements of Statistical Learning, section 4.4.1) with an L2 penalty on the weights. The intercept is not
 * held back, but two imaginary outcomes, one of each kind, keep it finite where all outcomes are alike. Deterministic.
 *
 * @param features `[rows, width]`, row major, finite
 * @param outcomes 0 or 1, `[rows]`, rows >= 1
 * @param penalty weight of `Σ weights² / 2` against the summed negative log-likelihood, > 0
 */
export function fitLogisticRegression(
  features: Float64Array,
  outcomes: Uint8Array,
  width: number,
  penalty: number,
): LogisticModel {
  const { standardised, means, deviations } = standardise(features, outcomes.length, width)
  const size = width + 1
  const solution = new Float64Array(size)
  const positives = outcomes.reduce((sum, outcome) => sum + outcome, 0)
  solution[width] = Math.log((positives + 1) / (outcomes.length - positives + 1))
  for (let step = 0; step < steps; step++) {
    const move = findNewtonStep(standardised, outcomes, solution, penalty)
    const longest = move.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    // Far from the optimum the quadratic model overshoots; shorter steps stay downhill.
    const damping = Math.min(1, 2 / longest)
    for (let i = 0; i < size; i++) solution[i] = (solution[i] as number) + damping * (move[i] as number)
    if (longest < 1e-8) break
  }
  return { intercept: solution[width] as number, weights: [...solution.subarray(0, width)], means, deviations }
}

function standardise(features: Float64Array, rows: number, width: number) {
  const means = new Array<number>(width).fill(0)
  const deviations = new Array<number>(width).fill(0)
  for (let i = 0; i < features.length; i++) {
    means[i % width] = (means[i % width] as number) + (features[i] as number) / rows
  }
  for (let i = 0; i < features.length; i++) {
    const offset = (features[i] as number) - (means[i % width] as number)
    deviations[i % width] = (deviations[i % width] as number) + (offset * offset) / rows
  }
  for (let k = 0; k < width; k++) {
    const deviation = Math.sqrt(deviations[k] as number)
    // A feature that varies by rounding alone tells nothing: with scale 1 its standardised values are 0.
    deviations[k] = deviation > 1e-9 * Math.abs(means[k] as number) ? deviation : 1
  }
  const standardised = features.map(
    (value, i) => (value - (means[i % width] as number)) / (deviations[i % width] as number),
  )
  return { standardised, means, deviations }
}

/** Solves `Hessian * move = -gradient` of the penalised negative log-likelihood; the intercept stands last. */
function findNewtonStep(
  features: Float64Array,
  outcomes: Uint8Array,
  solution: Float64Array,
  penalty: number,
): Float64Array {
  const size = solution.length
  const width = size - 1
  const hessian = new Float64Array(size * size)
  const gradient = new Float64Array(size)
  const row = new Float64Array(size).fill(1)
  const addRow = (weight: number, outcome: number) => {
    let logit = 0
    for (let i = 0; i < size; i++) logit += (row[i] as number) * (solution[i] as number)
    const p = 1 / (1 + Math.exp(-logit))
    const residual = weight * (outcome - p)
    const curvature = weight * p * (1 - p)
    for (let i = 0; i < size; i++) {
      const value = row[i] as number
      gradient[i] = (gradient[i] as number) + residual * value
      for (let j = 0; j <= i; j++) {
        hessian[i * size + j] = (hessian[i * size + j] as number) + curvature * value * (row[j] as number)
      }
    }
  }
  for (let start = 0, r = 0; r < outcomes.length; r++, start += width) {
    row.set(features.subarray(start, start + width))
    addRow(1, outcomes[r] as number)
  }
  row.fill(0, 0, width)
  addRow(2, 0.5)
  for (let i = 0; i < width; i++) {
    hessian[i * size + i] = (hessian[i * size + i] as number) + penalty
    gradient[i] = (gradient[i] as number) - penalty * (solution[i] as number)
  }
  return solveCholesky(hessian, gradient)
}

/**
 * Solves `A x = b` in place for a symmetric positive definite `A`, of which the lower triangle is read. Steps that
 * saturate every row leave a pivot near 0; a floor keeps the division defined.
 */
function solveCholesky(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j] as number
      for (let k = 0; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number)
      a[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (a[j * n + j] as number)
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i] = (b[i] as number) - (a[i * n + k] as number) * (b[k] as number)
    b[i] = (b[i] as number) / (a[i * n + i] as number)
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i] = (b[i] as number) - (a[k * n + i] as number) * (b[k] as number)
    b[i] = (b[i] as number) / (a[i * n + i] as number)
  }
  return b
}
