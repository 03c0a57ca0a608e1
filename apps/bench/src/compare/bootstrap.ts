import { setImmediate } from 'node:timers/promises'
import { createRandom } from '@sluice/datasets'
import { findMedian, findQuantile } from '../quantiles.ts'

/** The median of a figure over the splits, and the ends of its bootstrap interval, in the figure's unit. */
export interface Estimate {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** One figure: per split a value for each sample that the split judges, `[samples judged]`; their mean counts. */
export type SplitFigure = readonly Float32Array[]

export interface BootstrapOptions {
  /** Samples of the whole data. */
  readonly samples: number
  /** Per split, the samples that it judges, as `SplitFigure` lists them. */
  readonly judgedRows: readonly Uint32Array[]
  readonly resamples: number
  /** Chance that an interval stands for, 0..1. */
  readonly confidence: number
  readonly seed: number
  readonly onResample?: (done: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * The median of every figure over the splits, with percentile bootstrap intervals (Efron 1979). What is drawn again, with
 * replacement, are the samples of the whole data, the same draw for all figures and splits; a split's figure is then the
 * mean over its judged samples, each as often as it was drawn. What was chosen on the other half stays as it is.
 */
export async function estimateMedians(
  figures: readonly SplitFigure[],
  { samples, judgedRows, resamples, confidence, seed, onResample, signal }: BootstrapOptions,
): Promise<Estimate[]> {
  const medianUnder = (drawn: Float32Array) => {
    const weights = judgedRows.map((rows) => Float32Array.from(rows, (row) => drawn[row] as number))
    const totals = weights.map((ofSplit) => ofSplit.reduce((sum, weight) => sum + weight, 0))
    const mean = (values: Float32Array, split: number) =>
      sumProducts(values, weights[split] as Float32Array) / (totals[split] as number)
    return figures.map((figure) => findMedian(figure.map(mean)))
  }
  const medians = medianUnder(new Float32Array(samples).fill(1))
  const random = createRandom(seed)
  const resampled = figures.map(() => new Float64Array(resamples))
  for (let resample = 0; resample < resamples; resample++) {
    // The work is all arithmetic: without a pause no signal would get through.
    await setImmediate()
    signal?.throwIfAborted()
    const drawn = new Float32Array(samples)
    for (let draw = 0; draw < samples; draw++) {
      const row = random.below(samples)
      drawn[row] = (drawn[row] as number) + 1
    }
    for (const [figure, median] of medianUnder(drawn).entries()) (resampled[figure] as Float64Array)[resample] = median
    onResample?.(resample + 1)
  }
  const tail = (1 - confidence) / 2
  return medians.map((median, figure) => {
    const sorted = (resampled[figure] as Float64Array).sort()
    return { median, low: findQuantile(sorted, tail), high: findQuantile(sorted, 1 - tail) }
  })
}

/** Four sums keep the processor busier than one. */
function sumProducts(a: Float32Array, b: Float32Array): number {
  let [first, second, third, fourth] = [0, 0, 0, 0]
  const whole = a.length - (a.length % 4)
  for (let i = 0; i < whole; i += 4) {
    first += (a[i] as number) * (b[i] as number)
    second += (a[i + 1] as number) * (b[i + 1] as number)
    third += (a[i + 2] as number) * (b[i + 2] as number)
    fourth += (a[i + 3] as number) * (b[i + 3] as number)
  }
  for (let i = whole; i < a.length; i++) first += (a[i] as number) * (b[i] as number)
  return first + second + third + fourth
}
