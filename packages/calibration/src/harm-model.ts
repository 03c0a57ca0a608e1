import type { GateOutcomes } from './exit-table.ts'

/** How likely a gate's exit harms, as a function of its score: `P(harm | score) = 1 / (1 + exp(level(score)))`. */
export interface HarmModel {
  /** Safety levels (log-odds against harm) of the lowest and highest score seen. */
  readonly lowestLevel: number
  readonly highestLevel: number
  /** The score from which on the level is at least the given one; `Infinity` where no score reaches it. */
  thresholdAt(level: number): number
}

/** Scores nearer than this to an end of their range count as this near: float32 cannot tell them apart. */
const endMargin = 2 ** -25

/**
 * Fits a logistic curve (Platt 1999, with his smoothed targets) to the event "the answer at the end is right and this
 * gate is wrong". Two parameters per gate keep the variance low. Scores with two finite ends enter as their log-odds,
 * because a probability's own scale squeezes the interesting part against 1; unbounded scores enter as they are. A
 * gate whose score does not order its rows by safety gets the same level for every row.
 */
export function fitHarmModel({ scores, right, range }: GateOutcomes, endRight: Uint8Array): HarmModel {
  const axis = createAxis(range)
  const x = new Float64Array(scores).map(axis.toAxis)
  const harmed = right.map((gate, row) => ((endRight[row] as number) > gate ? 1 : 0))
  const { intercept, slope } = fitLogistic(x, harmed)
  const lowest = x.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const highest = x.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  const everyScore = Number.isFinite(range[0]) ? range[0] : axis.toScore(lowest)
  return {
    lowestLevel: -intercept - slope * lowest,
    highestLevel: -intercept - slope * highest,
    thresholdAt(level) {
      if (slope < 0) return axis.toScore((-level - intercept) / slope)
      return level <= -intercept ? everyScore : Number.POSITIVE_INFINITY
    },
  }
}

/** The scale on which scores are near enough to linear in the log-odds of harm, and the way back. */
function createAxis([low, high]: readonly [number, number]) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    return { toAxis: (score: number) => score, toScore: (x: number) => Math.max(x, low) }
  }
  const width = high - low
  return {
    toAxis: (score: number) => {
      const part = Math.min(Math.max((score - low) / width, endMargin), 1 - endMargin)
      return Math.log(part / (1 - part))
    },
    toScore: (x: number) => low + width / (1 + Math.exp(-x)),
  }
}

/**
 * `P(y = 1 | x) = 1 / (1 + exp(-intercept - slope * x))` with `slope <= 0`, by damped Newton steps on standardised x.
 * A falling curve is asked for because a higher score must not mean more harm; where the data say otherwise the slope
 * is 0 and the intercept is the base rate's.
 */
function fitLogistic(x: Float64Array, y: Uint8Array): { intercept: number; slope: number } {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length
  const deviation = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length)
  const targets = smoothTargets(y)
  const rate = targets.reduce((sum, target) => sum + target, 0) / targets.length
  const flat = { intercept: Math.log(rate / (1 - rate)), slope: 0 }
  // Scores that differ by rounding alone have no slope to speak of.
  if (!(deviation > 1e-9 * Math.abs(mean))) return flat
  const standardised = x.map((value) => (value - mean) / deviation)
  let { intercept, slope } = flat
  for (let step = 0; step < 50; step++) {
    const move = findNewtonMove(standardised, targets, intercept, slope)
    const size = Math.max(Math.abs(move.intercept), Math.abs(move.slope))
    // Far from the optimum the quadratic model overshoots.
    const damping = Math.min(1, 1 / size)
    intercept += damping * move.intercept
    slope += damping * move.slope
    if (!(size > 1e-9)) break
  }
  if (!(slope < 0) || !Number.isFinite(intercept)) return flat
  return { intercept: intercept - (slope * mean) / deviation, slope: slope / deviation }
}

/** Platt's targets: a little inside 0 and 1, so that the curve stays finite for events that never or always happen. */
function smoothTargets(y: Uint8Array): Float64Array {
  const positives = y.reduce((sum, value) => sum + value, 0)
  const high = (positives + 1) / (positives + 2)
  const low = 1 / (y.length - positives + 2)
  return new Float64Array(y).map((value) => (value === 1 ? high : low))
}

function findNewtonMove(x: Float64Array, targets: Float64Array, intercept: number, slope: number) {
  let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0]
  for (let row = 0; row < x.length; row++) {
    const value = x[row] as number
    const p = 1 / (1 + Math.exp(-intercept - slope * value))
    const residual = (targets[row] as number) - p
    const weight = p * (1 - p)
    g0 += residual
    g1 += residual * value
    h00 += weight
    h01 += weight * value
    h11 += weight * value * value
  }
  const determinant = h00 * h11 - h01 * h01
  return { intercept: (h11 * g0 - h01 * g1) / determinant, slope: (h00 * g1 - h01 * g0) / determinant }
}
