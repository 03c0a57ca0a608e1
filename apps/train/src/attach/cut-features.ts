import { InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import { type Cut, countPooledFeatures } from '@sluice/onnx-graph'
import type { FeatureCollection, FeatureMap, FeatureRows } from '@sluice/training'
import type { FrozenNetwork } from './frozen-network.ts'

/**
 * The collected features of a tapped cut, with their map where the cut is one.
 * @throws InvalidArgumentError for a cut that was not tapped
 */
export function findCutFeatures(
  collection: Pick<FeatureCollection, 'features'>,
  { tensor, shape }: Pick<Cut, 'tensor' | 'shape'>,
  pooling: PoolingDescription,
  format: FrozenNetwork['format'],
): FeatureRows {
  const store = collection.features.get(tensor)
  if (store === undefined) {
    throw new InvalidArgumentError(`No features of '${tensor}' were collected; tap it in the forward pass.`)
  }
  const { width, rows, blockRows } = store
  const read = (start: number, count: number) => store.read(start, count)
  return { width, rows, blockRows, read, map: describePooledMap(shape, pooling, format) }
}

/** Whether a pooled map of a cut of the given shape has maxima behind its averages: not where it was taken as it is. */
export function hasMaxima(
  { map }: Pick<FeatureRows, 'map'>,
  shape: readonly number[],
  format: FrozenNetwork['format'],
): boolean {
  const channels = shape[format.startsWith('tfjs') ? shape.length - 1 : 0] ?? 0
  return map !== undefined && map.outer * map.inner > channels
}

/** How the adapters lay out a pooled map: ONNX with the channels first, TensorFlow.js with them last. */
function describePooledMap(
  shape: readonly number[],
  pooling: PoolingDescription,
  format: FrozenNetwork['format'],
): FeatureMap | undefined {
  const [first = 1, second = 1, third = 1] = shape
  if (shape.length !== 3) return undefined
  const isLast = format.startsWith('tfjs')
  const [channels, rows, columns] = isLast ? [third, first, second] : [first, second, third]
  const [height, width] = [Math.min(rows, pooling.size), Math.min(columns, pooling.size)]
  const parts = countPooledFeatures([channels, rows, columns], pooling) / (channels * height * width)
  return isLast
    ? { outer: parts, height, width, inner: channels }
    : { outer: parts * channels, height, width, inner: 1 }
}
