/** `P(y = 1 | x) = 1 / (1 + exp(-intercept - Σ_k weights[k] * (x[k] - means[k]) / deviations[k]))`. */
export interface LogisticModel {
  readonly intercept: number
  /** One per feature, as are `means` and `deviations`. */
  readonly weights: readonly number[]
  readonly means: readonly number[]
  readonly deviations: readonly number[]
}

const steps = 30

/** One of each kind. */
const imaginaryOutcomes = 2

/**
 * Fits a logistic regression on standardised features by iteratively reweighted least squares (Newton's method; Hastie
 * et al., The Elements of Statistical Learning, section 4.4.1) with an L2 penalty on the weights. The intercept is not
 * held back, but two imaginary outcomes, one of each kind, keep it finite where all outcomes are alike. Deterministic.
 *
 * @param features `[rows, width]`, row major, finite
 * @param outcomes 0 or 1, `[rows]`, rows >= 1
 * @param penalties one per feature, > 0: weights of `weights[k]² / 2` against the summed negative log-likelihood
 */
export function fitLogisticRegression(
  features: Float64Array,
  outcomes: Uint8Array,
  penalties: readonly number[],
): LogisticModel {
  const width = penalties.length
  const { standardised, means, deviations } = standardise(features, outcomes.length, width)
  const size = width + 1
  const solution = new Float64Array(size)
  const positives = outcomes.reduce((sum, outcome) => sum + outcome, 0)
  solution[width] = Math.log((positives + 1) / (outcomes.length - positives + 1))
  for (let step = 0; step < steps; step++) {
    const move = findNewtonStep(standardised, outcomes, solution, penalties)
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
  penalties: readonly number[],
): Float64Array {
  const width = penalties.length
  const chances = multiply(features, solution, outcomes.length).map(squash)
  const curvatures = chances.map((p) => p * (1 - p))
  const imagined = squash(solution[width] as number)
  const downhill = multiplyTransposed(
    features,
    chances.map((p, row) => (outcomes[row] as number) - p),
    width,
  )
  downhill[width] = (downhill[width] as number) + imaginaryOutcomes * (0.5 - imagined)
  penalties.forEach((penalty, k) => {
    downhill[k] = (downhill[k] as number) - penalty * (solution[k] as number)
  })
  return solveByConjugateGradients(downhill, (move) => {
    const weighted = multiply(features, move, outcomes.length).map((value, row) => value * (curvatures[row] as number))
    const product = multiplyTransposed(features, weighted, width)
    product[width] =
      (product[width] as number) + imaginaryOutcomes * imagined * (1 - imagined) * (move[width] as number)
    penalties.forEach((penalty, k) => {
      product[k] = (product[k] as number) + penalty * (move[k] as number)
    })
    return product
  })
}

function squash(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/** `features * weights` plus the intercept, which stands last, for each row. */
function multiply(features: Float64Array, weights: Float64Array, rows: number): Float64Array {
  const width = weights.length - 1
  const products = new Float64Array(rows)
  for (let row = 0, start = 0; row < rows; row++, start += width) {
    let sum = weights[width] as number
    for (let k = 0; k < width; k++) sum += (features[start + k] as number) * (weights[k] as number)
    products[row] = sum
  }
  return products
}

/** The sum of the rows, each as many times as `values` says; their own sum stands last. */
function multiplyTransposed(features: Float64Array, values: Float64Array, width: number): Float64Array {
  const sums = new Float64Array(width + 1)
  values.forEach((value, row) => {
    const start = row * width
    for (let k = 0; k < width; k++) sums[k] = (sums[k] as number) + value * (features[start + k] as number)
    sums[width] = (sums[width] as number) + value
  })
  return sums
}

/** Share of the right side that may remain; Newton's next step mends it. */
const tolerance = 0.01

/**
 * Solves `A x = b` for a symmetric positive definite `A`, given as a product with it: a step is linear in the number of
 * features, where the matrix has the square of their number of values. Newton steps that saturate every row leave hardly
 * any curvature; a floor keeps the division defined.
 */
function solveByConjugateGradients(b: Float64Array, multiplyByA: (x: Float64Array) => Float64Array): Float64Array {
  const x = new Float64Array(b.length)
  const rest = b.slice()
  const direction = b.slice()
  const start = dot(b, b)
  let restNorm = start
  for (let step = 0; step < 4 * b.length && restNorm > tolerance ** 2 * start; step++) {
    const image = multiplyByA(direction)
    const length = restNorm / Math.max(dot(direction, image), 1e-12 * dot(direction, direction))
    addScaled(x, length, direction)
    addScaled(rest, -length, image)
    const before = restNorm
    restNorm = dot(rest, rest)
    for (let i = 0; i < b.length; i++) {
      direction[i] = (rest[i] as number) + (restNorm / before) * (direction[i] as number)
    }
  }
  return x
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0)
}

function addScaled(target: Float64Array, factor: number, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (values[i] as number)
}
