import { InvalidArgumentError, type PooledFeatures } from '@sluice/core'

/**
 * The inputs of a model and pooled features behind them, row by row, `[rows, inputs + width]`.
 *
 * @param inputs `[rows, inputs]`
 * @param channels how many pooled features there must be
 * @throws InvalidArgumentError for none, or another number of them
 */
export function appendPooledFeatures(
  inputs: Float64Array,
  features: PooledFeatures | undefined,
  channels: number,
): Float64Array {
  if (features?.width !== channels) {
    throw new InvalidArgumentError(
      `The gate was fitted with ${channels} pooled features and is shown ${features?.width ?? 'none'}. Attach the gates with --features, and calibrate the bundle again.`,
    )
  }
  const { rows, data } = features
  const width = rows === 0 ? 0 : inputs.length / rows
  const joined = new Float64Array(inputs.length + data.length)
  for (let row = 0; row < rows; row++) {
    const start = row * (width + channels)
    joined.set(inputs.subarray(row * width, (row + 1) * width), start)
    joined.set(data.subarray(row * channels, (row + 1) * channels), start + width)
  }
  return joined
}
