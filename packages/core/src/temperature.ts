import type { JsonObject } from './bundle.ts'
import type { ClassScores } from './class-scores.ts'
import { InvalidArgumentError, NonFiniteValueError, ShapeMismatchError } from './errors.ts'
import type { GateSample } from './exit-score.ts'

/**
 * The temperature `T` that minimises the negative log-likelihood of the targets under `softmax(scores / T)` (Guo et
 * al. 2017, arXiv 1706.04599, section 4.2). The problem is convex in `1 / T`: Newton steps inside a shrinking bracket.
 * `T` is held to 1/16 to 64 times the spread of the scores within a row, because scores that are all right would drive
 * it to 0, where all rows look alike. Scores without spread get 1.
 *
 * @throws ShapeMismatchError, InvalidArgumentError, NonFiniteValueError as `checkGateSample`
 */
export function fitTemperature(sample: Pick<GateSample, 'scores' | 'targets'>): number {
  checkGateSample(sample)
  const spread = measureSpread(sample.scores)
  if (spread === 0) return 1
  let [low, high] = [1 / (64 * spread), 16 / spread]
  let inverse = Math.min(Math.max(1, low), high)
  for (let step = 0; step < 60 && high / low > 1 + 1e-6; step++) {
    const { slope, curvature } = differentiateLikelihood(sample, inverse)
    if (slope === 0) break
    if (slope > 0) high = inverse
    else low = inverse
    const newton = inverse - slope / curvature
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high)
    if (Math.abs(next - inverse) <= 1e-7 * inverse) break
    inverse = next
  }
  return 1 / inverse
}

/** The `temperature` among a gate's fitted parameters. @throws InvalidArgumentError unless it is a number > 0 */
export function readTemperature(parameters: JsonObject): number {
  const { temperature } = parameters
  if (typeof temperature === 'number' && temperature > 0 && Number.isFinite(temperature)) return temperature
  throw new InvalidArgumentError(
    `The gate's temperature is ${JSON.stringify(temperature)}; it must be a number > 0. Calibrate the bundle again.`,
  )
}

/**
 * Fits `{ temperatures }` of the last `count` gates, this one last, or of fewer where there are not so many.
 * @throws SluiceError of `fitTemperature`
 */
export function fitTemperatures(
  { scores, targets, earlier = [] }: GateSample,
  count = Number.POSITIVE_INFINITY,
): { readonly temperatures: readonly number[] } {
  const gates = [...earlier, scores].slice(-count)
  return { temperatures: gates.map((each) => fitTemperature({ scores: each, targets })) }
}

/** The list that `fitTemperatures` wrote. @throws InvalidArgumentError for anything else */
export function readTemperatures({ temperatures }: JsonObject): readonly number[] {
  if (Array.isArray(temperatures) && temperatures.length > 0) {
    return temperatures.map((temperature) => readTemperature({ temperature }))
  }
  throw new InvalidArgumentError(
    `The gate's temperatures are ${JSON.stringify(temperatures)}; they must be a list of numbers > 0. Calibrate the bundle again.`,
  )
}

/**
 * Checks what a policy family learns from.
 *
 * @throws ShapeMismatchError when scores or targets do not have the stated number of rows
 * @throws InvalidArgumentError for zero rows or a target that is no class
 * @throws NonFiniteValueError for a score that is NaN or infinite
 */
export function checkGateSample({ scores, targets }: Pick<GateSample, 'scores' | 'targets'>): void {
  const { data, rows, classCount } = scores
  if (rows < 1) throw new InvalidArgumentError('A gate is fitted on zero rows; pass tuning samples.')
  if (data.length !== rows * classCount) throw new ShapeMismatchError('scores.data', [data.length], [rows * classCount])
  if (targets.length !== rows) throw new ShapeMismatchError('targets', [targets.length], [rows])
  const row = targets.findIndex((target) => !(target >= 0 && target < classCount))
  if (row >= 0) {
    throw new InvalidArgumentError(`The target of row ${row} is ${targets[row]}; classes are 0 to ${classCount - 1}.`)
  }
  const bad = data.findIndex((score) => !Number.isFinite(score))
  if (bad >= 0) throw new NonFiniteValueError('Class scores', Math.floor(bad / classCount), data[bad] as number)
}

/** Root mean square of the scores about their row's mean. */
function measureSpread({ data, rows, classCount }: ClassScores): number {
  let sum = 0
  for (let row = 0, start = 0; row < rows; row++, start += classCount) {
    let mean = 0
    for (let i = start; i < start + classCount; i++) mean += (data[i] as number) / classCount
    for (let i = start; i < start + classCount; i++) sum += ((data[i] as number) - mean) ** 2
  }
  return Math.sqrt(sum / data.length)
}

/** Derivatives of the summed negative log-likelihood by `1 / T`; gaps below a row's best score keep `exp` in range. */
function differentiateLikelihood({ scores, targets }: Pick<GateSample, 'scores' | 'targets'>, inverse: number) {
  const { data, rows, classCount } = scores
  let [slope, curvature] = [0, 0]
  for (let row = 0, start = 0; row < rows; row++, start += classCount) {
    let best = data[start] as number
    for (let i = start + 1; i < start + classCount; i++) best = Math.max(best, data[i] as number)
    let [weights, gaps, squares] = [0, 0, 0]
    for (let i = start; i < start + classCount; i++) {
      const gap = best - (data[i] as number)
      const weight = Math.exp(-inverse * gap)
      weights += weight
      gaps += weight * gap
      squares += weight * gap * gap
    }
    const mean = gaps / weights
    slope += best - (data[start + (targets[row] as number)] as number) - mean
    curvature += squares / weights - mean * mean
  }
  return { slope, curvature }
}
