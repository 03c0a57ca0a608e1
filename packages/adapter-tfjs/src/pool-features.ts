import type { PoolingDescription } from '@sluice/core'
import { countPooledFeatures, type PoolingWindows, planWindows } from '@sluice/onnx-graph'
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
  if (height <= size && width <= size) return map
  const axes = [planWindows(height, size), planWindows(width, size)] as const
  const average = averageWindows(tf, map, axes).reshape([rows, -1])
  if (kind === 'average') return average
  return tf.concat([average, maximumOfWindows(tf, map, axes).reshape([rows, -1])], 1)
}

type Axes = readonly [vertical: PoolingWindows, horizontal: PoolingWindows]

/**
 * Windows at irregular steps are averaged along the rows' axis, then along the columns', each by a product with a constant
 * matrix: at 8x14x14x1024 to 4x4 on wasm 6 ms, in one product 72 ms, by copying windows with `gather` 150 ms.
 */
function averageWindows(tf: Tfjs, map: Tensor4D, axes: Axes): Tensor {
  const kernel = findKernel(axes)
  if (kernel !== null) return tf.avgPool(map, kernel.size, kernel.stride, 'valid')
  const [rows, height, width, channels] = map.shape
  const [vertical, horizontal] = axes
  const bands = tf.matMul(createAveragingMatrix(tf, vertical), map.reshape([rows, height, width * channels]))
  const columns = bands.reshape<Tensor3D>([rows * vertical.windows.length, width, channels])
  return tf.matMul(createAveragingMatrix(tf, horizontal), columns)
}

/** `[1, windows, length]`: the share of each position in each window's average. */
function createAveragingMatrix(tf: Tfjs, { windows, length }: PoolingWindows): Tensor3D {
  const matrix = new Float32Array(windows.length * length)
  windows.forEach(([start, end], index) => {
    matrix.fill(1 / (end - start), index * length + start, index * length + end)
  })
  return tf.tensor3d(matrix, [1, windows.length, length])
}

/** Windows at irregular steps one by one, along the rows' axis, then along the columns' on what is left. */
function maximumOfWindows(tf: Tfjs, map: Tensor4D, axes: Axes): Tensor4D {
  const kernel = findKernel(axes)
  if (kernel !== null) return tf.maxPool(map, kernel.size, kernel.stride, 'valid')
  const [rows, , width, channels] = map.shape
  const [vertical, horizontal] = axes
  const bands = vertical.windows.map(([start, end]) => {
    const band = map.slice([0, start, 0, 0], [rows, end - start, width, channels])
    return tf.maxPool(band, [end - start, 1], 1, 'valid')
  })
  const pooled = tf.concat(bands, 1)
  const columns = horizontal.windows.map(([start, end]) => {
    const column = pooled.slice([0, 0, start, 0], [rows, bands.length, end - start, channels])
    return tf.maxPool(column, [1, end - start], 1, 'valid')
  })
  return tf.concat(columns, 2)
}

type Pair = [number, number]

/** The kernel that reaches no padding: engines differ in how they count it in averages. */
function findKernel([{ kernel: a }, { kernel: b }]: Axes): { size: Pair; stride: Pair } | null {
  const isPlain = a !== null && b !== null && a.padBegin + a.padEnd + b.padBegin + b.padEnd === 0
  return isPlain ? { size: [a.size, b.size], stride: [a.stride, b.stride] } : null
}
