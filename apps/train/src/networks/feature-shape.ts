import { InvalidNetworkConfigError } from './errors.ts'

/** Shape of one row: `[height, width, channels]` of a map, or `[features]` behind the global pooling. */
export type FeatureShape = readonly number[]

/** Height, width and channels of a map. @throws InvalidNetworkConfigError for anything else */
export function readMap(shape: FeatureShape): { height: number; width: number; channels: number } {
  const [height, width, channels] = shape
  if (height !== undefined && width !== undefined && channels !== undefined) return { height, width, channels }
  throw new InvalidNetworkConfigError(`a map [height, width, channels] is needed where [${shape.join(', ')}] stands.`)
}

/** The number of channels or features: the last dimension. */
export function countChannels(shape: FeatureShape): number {
  return shape.at(-1) ?? 1
}

/** A square window over a map, with the same zeros on all four sides. */
export interface Window {
  readonly size: number
  readonly stride: number
  readonly padding: number
}

/**
 * How many windows fit along one side, rounded down as PyTorch and ONNX do.
 * @throws InvalidNetworkConfigError when none does
 */
export function countWindows(length: number, { size, stride, padding }: Window): number {
  const count = Math.floor((length + 2 * padding - size) / stride) + 1
  if (count >= 1) return count
  throw new InvalidNetworkConfigError(
    `a map side of ${length} is smaller than a window of ${size} with padding ${padding}. Give a larger input or fewer strides.`,
  )
}

/** Whether a window's padding is what TensorFlow calls `same`. For strides above 1 it is not. */
export function isSamePadding({ size, stride, padding }: Window): boolean {
  return stride === 1 && padding === (size - 1) / 2
}
