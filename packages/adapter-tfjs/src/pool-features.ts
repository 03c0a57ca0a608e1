import type { PoolingDescription } from '@sluice/core'
import { countPooledFeatures, largestWindow, type PoolingWindows, planWindows } from '@sluice/onnx-graph'
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { Tfjs } from './tfjs.ts'

/**
 * Length of the feature row that {@link poolFeatures} yields for a row of the given shape: `[height, width, channels]`,
 * `[tokens, width]` or `[width]`.
 *
 * @throws InvalidArgumentError for a shape of another rank, a size below 1, or the class token of a map
 */
export function countTfjsFeatures(shape: readonly number[], pooling: PoolingDescription): number {
  const [height = 0, width = 0, channels = 0] = shape
  return countPooledFeatures(shape.length === 3 ? [channels, height, width] : shape, pooling)
}

/**
 * Pools a float32 activation to features `[rows, features]`; the caller owns the result. Windows are those of
 * `@sluice/onnx-graph`, the order is that of channels last:
 *
 * - `[rows, height, width, channels]`: adaptive windows; feature `(y * columns + x) * channels + c`; with
 *   `average+maximum` all averages come first, then all maxima. A map of at most `size x size` is taken as it is, once.
 * - `[rows, tokens, width]`: the mean over the tokens; then, with `average+maximum`, the maxima. `class-token`: the first.
 * - `[rows, width]`: as it is, whatever the kind.
 *
 * @throws InvalidArgumentError as {@link countTfjsFeatures}
 */
export function poolFeatures(tf: Tfjs, activation: Tensor, pooling: PoolingDescription): Tensor2D {
  const [rows = 0, ...shape] = activation.shape
  const length = countTfjsFeatures(shape, pooling)
  return tf.tidy(() => {
    if (shape.length === 3) return poolMap(tf, activation as Tensor4D, pooling).reshape([rows, length])
    if (shape.length === 2) return poolTokens(tf, activation as Tensor3D, pooling.kind)
    return activation.clone() as Tensor2D
  })
}

function poolTokens(tf: Tfjs, tokens: Tensor3D, kind: PoolingDescription['kind']): Tensor2D {
  const [rows, , width] = tokens.shape
  if (kind === 'class-token') return tokens.slice([0, 0, 0], [rows, 1, width]).reshape([rows, width])
  const mean = tokens.mean<Tensor2D>(1)
  return kind === 'average' ? mean : tf.concat([mean, tokens.max<Tensor2D>(1)], 1)
}

/** Pooled values, `[rows, ...]`, in order but of any rank. */
function poolMap(tf: Tfjs, map: Tensor4D, { size, kind }: PoolingDescription): Tensor {
  const [rows, height, width] = map.shape
  const [vertical, horizontal] = [planWindows(height, size), planWindows(width, size)]
  if (height <= size && width <= size) return map
  const average = averageWindows(tf, map, vertical, horizontal).reshape([rows, -1])
  if (kind === 'average') return average
  return tf.concat([average, maximumOfWindows(tf, map, vertical, horizontal).reshape([rows, -1])], 1)
}

type Pair = [number, number]

function averageWindows(tf: Tfjs, map: Tensor4D, vertical: PoolingWindows, horizontal: PoolingWindows): Tensor {
  const kernel = findKernel(vertical, horizontal)
  if (kernel !== null) return tf.avgPool(map, kernel.size, kernel.stride, 'valid')
  const [rows, height, width, channels] = map.shape
  const matrix = tf.tensor3d(createAveragingMatrix(vertical, horizontal), [
    1,
    countWindows(vertical, horizontal),
    height * width,
  ])
  return tf.matMul(matrix, map.reshape([rows, height * width, channels]))
}

/** Irregular windows are copied side by side; short ones repeat their last index, which no maximum minds. */
function maximumOfWindows(tf: Tfjs, map: Tensor4D, vertical: PoolingWindows, horizontal: PoolingWindows): Tensor {
  const kernel = findKernel(vertical, horizontal)
  if (kernel !== null) return tf.maxPool(map, kernel.size, kernel.stride, 'valid')
  const laidOut = tf.gather(tf.gather(map, listIndices(vertical), 1), listIndices(horizontal), 2)
  const size: Pair = [largestWindow(vertical), largestWindow(horizontal)]
  return tf.maxPool(laidOut, size, size, 'valid')
}

/** The kernel that reaches no padding: engines differ in how they count it in averages. */
function findKernel({ kernel: a }: PoolingWindows, { kernel: b }: PoolingWindows): { size: Pair; stride: Pair } | null {
  const isPlain = a !== null && b !== null && a.padBegin + a.padEnd + b.padBegin + b.padEnd === 0
  return isPlain ? { size: [a.size, b.size], stride: [a.stride, b.stride] } : null
}

function listIndices(axis: PoolingWindows): number[] {
  const size = largestWindow(axis)
  return axis.windows.flatMap(([start, end]) => {
    return Array.from({ length: size }, (_, offset) => Math.min(start + offset, end - 1))
  })
}

function countWindows(vertical: PoolingWindows, horizontal: PoolingWindows): number {
  return vertical.windows.length * horizontal.windows.length
}

/** `[windows, pixels]`, row major: the share of each pixel in each window's average. */
function createAveragingMatrix(vertical: PoolingWindows, horizontal: PoolingWindows): Float32Array {
  const pixels = vertical.length * horizontal.length
  const matrix = new Float32Array(countWindows(vertical, horizontal) * pixels)
  vertical.windows.forEach(([top, bottom], i) => {
    horizontal.windows.forEach(([left, right], j) => {
      const offset = (i * horizontal.windows.length + j) * pixels
      for (let y = top; y < bottom; y++) {
        const start = offset + y * horizontal.length
        matrix.fill(1 / ((bottom - top) * (right - left)), start + left, start + right)
      }
    })
  })
  return matrix
}
