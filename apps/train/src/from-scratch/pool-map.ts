import type { Tfjs } from '@sluice/adapter-tfjs'
import { planWindows } from '@sluice/onnx-graph'
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'

type Reduction = 'mean' | 'max'

/**
 * Average and maximum of a map `[batch, height, width, channels]` over adaptive windows, `[batch, features]`, differentiable
 * on every backend. Windows and the features' order, that of `[channel, window row, window column]` with all averages
 * first, are those of `addHead` in `@sluice/onnx-graph`.
 */
export function poolMap(tf: Tfjs, map: Tensor4D, size: number): Tensor2D {
  return tf.tidy(() => {
    const [batch, height, width] = map.shape
    const flatten = (pooled: Tensor4D) => pooled.transpose([0, 3, 1, 2]).reshape<Tensor2D>([batch, -1])
    if (height <= size && width <= size) return flatten(map)
    return tf.concat([flatten(poolBy(tf, map, size, 'mean')), flatten(poolBy(tf, map, size, 'max'))], 1)
  })
}

function poolBy(tf: Tfjs, map: Tensor4D, size: number, reduction: Reduction): Tensor4D {
  const [, height, width] = map.shape
  if (height % size === 0 && width % size === 0) {
    const window: [number, number] = [height / size, width / size]
    return reduction === 'mean' ? tf.avgPool(map, window, window, 'valid') : tf.maxPool(map, window, window, 'valid')
  }
  return poolAxis(tf, poolAxis(tf, map, 1, size, reduction), 2, size, reduction)
}

/** Windows at irregular steps, one after another; all windows of an axis are averaged alike, so the axes can be taken in turn. */
function poolAxis(tf: Tfjs, map: Tensor4D, axis: 1 | 2, size: number, reduction: Reduction): Tensor4D {
  const { windows } = planWindows(map.shape[axis], size)
  const pooled = windows.map(([start, end]) => {
    const begin = [0, 0, 0, 0].map((_, index) => (index === axis ? start : 0))
    const extent = map.shape.map((length, index) => (index === axis ? end - start : length))
    return map.slice(begin, extent)[reduction](axis, true)
  })
  return tf.concat(pooled, axis) as Tensor4D
}
