import { countElements, type InputDescription, InvalidArgumentError, ShapeMismatchError } from '@sluice/core'

/** What of a network's input decides how images enter it. */
export type Preprocessing = Pick<InputDescription, 'shape' | 'layout' | 'mean' | 'std'>

/**
 * Turns images `[rows, channels, height, width]` into a network's input: `(v - mean[c]) / std[c]`, in the network's
 * layout. Takes `images` over: for NCHW and for data without layout it is changed in place and returned; for NHWC a new
 * array is returned.
 *
 * @throws ShapeMismatchError when `images` is not a whole number of samples
 * @throws InvalidArgumentError when mean and std do not fit the channels, or a std is not above 0
 */
export function normalise(images: Float32Array, input: Preprocessing): Float32Array {
  const [channels, height, width] = channelsFirst(input)
  const scales = channelScales(input, channels)
  const rows = images.length / (channels * height * width)
  if (!Number.isInteger(rows)) {
    throw new ShapeMismatchError('The images', [images.length], ['rows', channels, height, width])
  }
  if (scales !== null) scaleChannels(images, scales, height * width)
  return input.layout === 'NHWC' ? channelsLast(images, channels, height * width) : images
}

/** Shape of a sample that a dataset must deliver for this input: `[channels, height, width]` for an image. */
export function sampleShapeOf({ shape, layout }: Pick<InputDescription, 'shape' | 'layout'>): readonly number[] {
  const [height, width, channels] = shape
  if (layout !== 'NHWC' || height === undefined || width === undefined || channels === undefined) return shape
  return [channels, height, width]
}

/** Data without layout count as one channel. */
function channelsFirst(input: Preprocessing): readonly [number, number, number] {
  if (input.layout === 'none') return [1, 1, countElements(input.shape)]
  const [channels, height, width] = sampleShapeOf(input)
  if (input.shape.length === 3 && channels !== undefined && height !== undefined && width !== undefined) {
    return [channels, height, width]
  }
  throw new InvalidArgumentError(
    `An input of layout ${input.layout} has shape [${input.shape.join(', ')}]; give its three dimensions, or layout 'none'.`,
  )
}

interface ChannelScale {
  readonly mean: number
  readonly std: number
}

function channelScales({ mean, std }: Preprocessing, channels: number): readonly ChannelScale[] | null {
  if (mean.length === 0 && std.length === 0) return null
  if (mean.length !== channels || std.length !== channels || !std.every((value) => value > 0)) {
    throw new InvalidArgumentError(
      `Mean [${mean.join(', ')}] and std [${std.join(', ')}] do not fit; give ${channels} values of each, std above 0.`,
    )
  }
  return mean.map((value, channel) => ({ mean: value, std: std[channel] as number }))
}

function scaleChannels(images: Float32Array, scales: readonly ChannelScale[], planeSize: number): void {
  for (let start = 0; start < images.length; ) {
    for (const { mean, std } of scales) {
      const end = start + planeSize
      for (let i = start; i < end; i++) images[i] = ((images[i] as number) - mean) / std
      start = end
    }
  }
}

function channelsLast(images: Float32Array, channels: number, planeSize: number): Float32Array {
  const result = new Float32Array(images.length)
  let from = 0
  for (let row = 0; row < images.length; row += channels * planeSize) {
    for (let channel = 0; channel < channels; channel++) {
      for (let i = 0, to = row + channel; i < planeSize; i++, to += channels) result[to] = images[from++] as number
    }
  }
  return result
}
