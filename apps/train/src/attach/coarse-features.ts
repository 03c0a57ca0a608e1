import { type PoolingWindows, planWindows } from '@sluice/onnx-graph'
import { createMemoryStorage, type FeatureMap, type FeatureRows } from '@sluice/training'

/** Windows per axis that suffice to rank cuts: four times as many make cheap heads dearer, and no better at it. */
const windowsPerAxis = 4

/**
 * The features of a finer map as cheap heads take them: averages and maxima over 4 x 4 windows of it. Features that are no
 * map, or none finer, are given back as they are.
 *
 * @param hasMaxima whether the second half of the map's channels are maxima, those of the first half; else its own
 * values serve for both
 */
export async function coarsenFeatures(features: FeatureRows, hasMaxima: boolean): Promise<FeatureRows> {
  const { map, width, rows, blockRows } = features
  if (map === undefined || (map.height <= windowsPerAxis && map.width <= windowsPerAxis)) return features
  const axes = [planWindows(map.height, windowsPerAxis), planWindows(map.width, windowsPerAxis)] as const
  const channels = map.outer * map.inner
  const averaged = hasMaxima ? channels / 2 : channels
  const windows = axes[0].windows.length * axes[1].windows.length
  const store = await createMemoryStorage().createStore(2 * averaged * windows)
  for (let start = 0; start < rows; start += blockRows) {
    const count = Math.min(blockRows, rows - start)
    const data = await features.read(start, count)
    const coarse = new Float32Array(count * store.width)
    for (let row = 0; row < count; row++) {
      const source = data.subarray(row * width, (row + 1) * width)
      for (let channel = 0; channel < 2 * averaged; channel++) {
        const isMaximum = channel >= averaged
        const from = isMaximum && !hasMaxima ? channel - averaged : channel
        const to = coarse.subarray(row * store.width + channel * windows, row * store.width + (channel + 1) * windows)
        poolChannel(source, { map, axes, channel: from, isMaximum }, to)
      }
    }
    await store.append(coarse)
  }
  return store
}

interface ChannelPooling {
  readonly map: FeatureMap
  readonly axes: readonly [vertical: PoolingWindows, horizontal: PoolingWindows]
  readonly channel: number
  readonly isMaximum: boolean
}

function poolChannel(row: Float32Array, { map, axes, channel, isMaximum }: ChannelPooling, pooled: Float32Array): void {
  const { height, width, inner } = map
  const start = Math.floor(channel / inner) * height * width * inner + (channel % inner)
  let window = 0
  for (const [top, bottom] of axes[0].windows) {
    for (const [left, right] of axes[1].windows) {
      let [sum, most] = [0, Number.NEGATIVE_INFINITY]
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const value = row[start + (y * width + x) * inner] as number
          sum += value
          if (value > most) most = value
        }
      }
      pooled[window++] = isMaximum ? most : sum / ((bottom - top) * (right - left))
    }
  }
}
