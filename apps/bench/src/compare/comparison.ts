import type { BatchBench } from '../bench.ts'
import type { Estimate } from './bootstrap.ts'

/** What the policies were compared on, and how each fared. Shares are fractions of 1; drops are points. */
export interface Comparison {
  /** Name of the bundle. */
  readonly name: string
  /** Name of the data. */
  readonly data: string
  readonly samples: number
  readonly splits: number
  readonly seed: number
  readonly intervals: { readonly resamples: number; readonly confidence: number }
  /** MACs of the full network for one sample. */
  readonly fullMacs: number
  readonly fullAccuracy: Estimate
  /** Share of the MACs that a sample costs which leaves at the first gate: the smallest budget there is. */
  readonly leastShare: number
  readonly policies: readonly PolicyComparison[]
}

/** How a policy family fared on the halves that it was not tuned on: medians over the splits. */
export interface PolicyComparison extends PolicyFigures<Estimate> {
  /** The family's name. */
  readonly policy: string
  /** Whose policy it is, with the paper; null for one of Sluice's own or the caller's. */
  readonly source: string | null
  /** Medians over the splits, by ascending budget. */
  readonly curve: readonly CurvePoint[]
  /**
   * With the gates and thresholds that the first split chose for one point, on samples that it judges; one per batch size.
   * Absent where the clock was not asked.
   */
  readonly time?: readonly BatchBench[]
}

/** A policy's figures, each a value of its own kind: of every split, or over all of them. */
export interface PolicyFigures<Value> {
  readonly atDrop: readonly FiguresAtDrop<Value>[]
  readonly atShare: readonly FiguresAtShare<Value>[]
  /**
   * Area under the curve of accuracy over the budget of MACs, from the smallest budget to all of the MACs, by trapezoids
   * between the budgets of the curve, over the length of that range: the mean accuracy, 0..1.
   */
  readonly area: Value
}

/** With the gates and thresholds chosen on the other half for a drop of at most `maxDrop` points. */
export interface FiguresAtDrop<Value> {
  readonly maxDrop: number
  readonly macsSaved: Value
  readonly drop: Value
}

/** With the gates and thresholds that were most accurate on the other half for at most this share of the MACs. */
export interface FiguresAtShare<Value> {
  readonly share: number
  /** Null where samples that leave at the first gate cost more. */
  readonly accuracy: Value | null
  /** What was spent on the judged half. */
  readonly macsShare: Value | null
}

/** One point of a policy's curve: with the gates and thresholds that were most accurate on the other half within a budget. */
export interface CurvePoint {
  /** Share of the MACs allowed on the other half. */
  readonly budget: number
  /** Share of the MACs spent on the judged half. */
  readonly macsShare: number
  readonly accuracy: number
}

/** The same figures, each value turned into another. */
export function mapFigures<From, To>(
  { atDrop, atShare, area }: PolicyFigures<From>,
  map: (value: From) => To,
): PolicyFigures<To> {
  const mapPossible = (value: From | null) => (value === null ? null : map(value))
  return {
    atDrop: atDrop.map(({ maxDrop, macsSaved, drop }) => ({ maxDrop, macsSaved: map(macsSaved), drop: map(drop) })),
    atShare: atShare.map(({ share, accuracy, macsShare }) => ({
      share,
      accuracy: mapPossible(accuracy),
      macsShare: mapPossible(macsShare),
    })),
    area: map(area),
  }
}
