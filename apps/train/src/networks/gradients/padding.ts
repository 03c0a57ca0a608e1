import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import { isSamePadding, type Window } from '../feature-shape.ts'

/** The same zeros on all four sides of every map. The caller owns the result, which is `maps` itself without padding. */
export function padMap(tf: Tfjs, maps: tf.Tensor4D, padding: number): tf.Tensor4D {
  const sides: [number, number] = [padding, padding]
  return padding === 0 ? maps : tf.pad(maps, [[0, 0], sides, sides, [0, 0]])
}

/**
 * Maps and TensorFlow's name of a padding that together are `window` on the given maps. Zeros that TensorFlow's `same`
 * would put elsewhere are written around the maps, as tfjs-node takes no explicit padding.
 */
export function applyPadding(
  tf: Tfjs,
  maps: tf.Tensor4D,
  window: Window,
): [maps: tf.Tensor4D, padding: 'same' | 'valid'] {
  return isSamePadding(window) ? [maps, 'same'] : [padMap(tf, maps, window.padding), 'valid']
}

/** The top left part of every map. The caller owns the result, which is `maps` itself where there is nothing to cut. */
export function cropMap(tf: Tfjs, maps: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  const [, rows, columns] = maps.shape
  return rows === height && columns === width ? maps : tf.slice(maps, 0, [-1, height, width, -1])
}
