import { InvalidArgumentError } from '@sluice/core'

/** How much accuracy may be lost. */
export interface DropTarget {
  /** Points of accuracy that the gated network may lose against the full one. */
  readonly maxDrop: number
  /**
   * Safety margin: a point qualifies when `drop + standardErrors * dropStandardError <= maxDrop` on the tuning samples.
   * Default 0.5. With 0 the drop on unseen samples exceeds the target about every second time.
   */
  readonly standardErrors?: number
}

/** Tells whether an estimated drop, in points, qualifies. */
export type DropTest = (drop: number, standardError: number) => boolean

/** @throws InvalidArgumentError when the target or its margin is not a number, or the margin is negative */
export function createDropTest({ maxDrop, standardErrors = 0.5 }: DropTarget): DropTest {
  if (!Number.isFinite(maxDrop)) {
    throw new InvalidArgumentError(`maxDrop is ${maxDrop}; pass points of accuracy, e.g. 1.`)
  }
  if (!Number.isFinite(standardErrors) || standardErrors < 0) {
    throw new InvalidArgumentError(`standardErrors is ${standardErrors}; pass a number >= 0, e.g. 1.`)
  }
  return (drop, standardError) => drop + standardErrors * standardError <= maxDrop
}

/** What a caller should tell the user about a table of `samples` rows. */
export function describeSampleSize(samples: number): string[] {
  if (samples >= 100) return []
  return [`Only ${samples} samples: thresholds chosen from fewer than 100 are unreliable. Pass more calibration data.`]
}
