import type { FeatureMap, FeatureRows } from './feature-store.ts'
import { readBlocks } from './row-blocks.ts'
import { takeEvenly } from './row-split.ts'

/** `(x - mean) * scale` gives features of mean 0, unless {@link shareOverMap} leaves it, and standard deviation 1. One value per feature each. */
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

/**
 * For features that begin with a map: the same scale for all positions of a channel, that of its values together, and no
 * mean, so that the zeros around a map stay what they are to the network. Other features keep theirs.
 */
export function shareOverMap({ mean, scale }: Standardisation, map: FeatureMap | undefined): Standardisation {
  const shared = { mean: mean.slice(), scale: scale.slice() }
  if (map === undefined) return shared
  for (const features of listChannels(map)) {
    const at = (values: Float32Array, feature: number) => values[feature] as number
    const average = features.reduce((sum, feature) => sum + at(mean, feature), 0) / features.length
    const variance = features.reduce((sum, feature) => {
      const ofFeature = at(scale, feature) === 0 ? 0 : at(scale, feature) ** -2
      return sum + (ofFeature + (at(mean, feature) - average) ** 2) / features.length
    }, 0)
    for (const feature of features) {
      shared.mean[feature] = 0
      shared.scale[feature] = variance > 0 ? 1 / Math.sqrt(variance) : 0
    }
  }
  return shared
}

/** The features of each channel. */
export function listChannels({ outer, height, width, inner }: FeatureMap): number[][] {
  const positions = height * width
  return Array.from({ length: outer * inner }, (_, channel) => {
    const start = Math.floor(channel / inner) * positions * inner + (channel % inner)
    return Array.from({ length: positions }, (_, position) => start + position * inner)
  })
}

function addRow(data: Float32Array, offset: number, sums: Float64Array, squares: Float64Array): void {
  for (let feature = 0; feature < sums.length; feature++) {
    const value = data[offset + feature] as number
    sums[feature] = (sums[feature] as number) + value
    squares[feature] = (squares[feature] as number) + value * value
  }
}
