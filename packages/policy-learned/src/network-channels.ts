import { InvalidArgumentError, type JsonObject, type PooledFeatures } from '@sluice/core'

/** How many channels of the network a gate was fitted with. @throws InvalidArgumentError for what `fit` never writes */
export function readChannels({ channels }: JsonObject): number {
  if (typeof channels === 'number' && Number.isSafeInteger(channels) && channels > 0) return channels
  throw new InvalidArgumentError(
    `The gate has channels ${JSON.stringify(channels)}, which this release never writes. Calibrate the bundle again.`,
  )
}

/**
 * What a model sees of each row, and behind it the pooled features of the network, `[rows, width + channels]`.
 *
 * @param inputs `[rows, width]`
 * @param channels as many as the features must be; any number when absent
 * @throws InvalidArgumentError where there are no features, or another number of them
 */
export function appendChannels(
  inputs: Float64Array,
  features: PooledFeatures | undefined,
  channels = features?.width,
): Float64Array {
  if (features === undefined) {
    throw new InvalidArgumentError(
      'The gate needs pooled features of the network and is shown none. Attach the gates with sluice attach --features.',
    )
  }
  if (features.width !== channels) {
    throw new InvalidArgumentError(
      `The gate was fitted with ${channels} pooled features and is shown ${features.width}. Calibrate the bundle again.`,
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
