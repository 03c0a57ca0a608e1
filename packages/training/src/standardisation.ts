import type { FeatureRows } from './feature-store.ts'
import { readBlocks } from './row-blocks.ts'
import { takeEvenly } from './row-split.ts'

/** `(x - mean) * scale` gives features of mean 0 and standard deviation 1. One value per feature each. */
export interface Standardisation {
  readonly mean: Float32Array
  /** 1 / standard deviation; 0 for a feature that never changes. */
  readonly scale: Float32Array
}

/** Rows that the statistics are taken from; their error is under 1 %, and no result depends on it but the step size. */
const sampleRows = 16_384

/** Mean and scale of evenly spaced rows among those given (ascending, at least one). */
export async function measureStandardisation(features: FeatureRows, rows: Uint32Array): Promise<Standardisation> {
  const { width } = features
  const sample = takeEvenly(rows, sampleRows)
  const sums = new Float64Array(width)
  const squares = new Float64Array(width)
  for await (const block of readBlocks(features, sample)) {
    for (const row of block.rows) addRow(block.data, row * width, sums, squares)
  }
  const mean = Float32Array.from(sums, (sum) => sum / sample.length)
  const scale = mean.map((_, feature) => {
    const average = (sums[feature] as number) / sample.length
    const variance = (squares[feature] as number) / sample.length - average ** 2
    // Below single precision's resolution of the mean, what is left of the variance is rounding.
    return variance > 1e-12 * (1 + average ** 2) ? 1 / Math.sqrt(variance) : 0
  })
  return { mean, scale }
}

function addRow(data: Float32Array, offset: number, sums: Float64Array, squares: Float64Array): void {
  for (let feature = 0; feature < sums.length; feature++) {
    const value = data[offset + feature] as number
    sums[feature] = (sums[feature] as number) + value
    squares[feature] = (squares[feature] as number) + value * value
  }
}
