import { InvalidArgumentError, type PoolingDescription } from '@sluice/core'
import type { GraphBuilder } from './graph-builder.ts'
import { appendMapPooling, isTakenWhole } from './map-pooling.ts'

/** Where pooled features are taken from. */
export interface PoolingSource {
  readonly tensor: string
  /** Shape of one row: `[channels, height, width]`, `[tokens, width]` or `[width]`. */
  readonly shape: readonly number[]
}

/**
 * Appends the nodes that pool a float32 tensor to features `[batch, features]`; returns that tensor's name. Heads and
 * feature taps both use it, so that their features agree element by element:
 *
 * - `[channels, height, width]`: adaptive windows, row `i` of `n` covering `floor(i*height/n)` to
 *   `ceil((i+1)*height/n)`, columns alike; an axis shorter than `n` is taken as it is. Feature `(c*rows + y)*columns + x`;
 *   with `average+maximum` all averages come first, then all maxima in the same order. A map of at most `n x n` is
 *   taken as it is, once.
 * - `[tokens, width]`: the mean over the tokens; then, with `average+maximum`, the maxima. `class-token`: the first token.
 * - `[width]`: as it is, whatever the kind.
 *
 * @param opset operator set of the graph that the nodes join
 * @throws InvalidArgumentError for a shape of another rank, a size below 1, or the class token of a map
 */
export function appendPooling(
  builder: GraphBuilder,
  { tensor, shape }: PoolingSource,
  pooling: PoolingDescription,
  opset: number,
): string {
  countPooledFeatures(shape, pooling)
  if (shape.length === 1) return tensor
  if (shape.length === 2) return poolTokens(builder, tensor, pooling.kind, opset)
  return builder.node('Flatten', [appendMapPooling(builder, tensor, shape, pooling)])
}

/**
 * Length of the feature row that {@link appendPooling} yields for a row of the given shape.
 *
 * @throws InvalidArgumentError as `appendPooling`
 */
export function countPooledFeatures(shape: readonly number[], { size, kind }: PoolingDescription): number {
  const [channels = 0, height = 0, width = 0] = shape
  if (shape.length === 1) return channels
  const parts = kind === 'average+maximum' ? 2 : 1
  if (shape.length === 2) return height * parts
  if (shape.length !== 3) {
    throw new InvalidArgumentError(
      `A row of shape [${shape.join(', ')}] cannot be pooled; it needs one to three dimensions.`,
    )
  }
  if (kind === 'class-token') {
    throw new InvalidArgumentError(`A map of shape [${shape.join(', ')}] has no class token; pool it by 'average'.`)
  }
  if (!Number.isInteger(size) || size < 1) {
    throw new InvalidArgumentError(`Pooling size ${size} is not a positive integer; use 1, 2 or 4.`)
  }
  const windows = Math.min(size, height) * Math.min(size, width)
  return channels * windows * (isTakenWhole(height, width, size) ? 1 : parts)
}

function poolTokens(builder: GraphBuilder, tensor: string, kind: PoolingDescription['kind'], opset: number): string {
  if (kind === 'class-token') {
    const first = builder.initializer('first', { type: 'int64', dims: [], data: BigInt64Array.of(0n) })
    return builder.node('Gather', [tensor, first], { axis: 1 })
  }
  const mean = reduceTokens(builder, 'ReduceMean', tensor, opset)
  if (kind === 'average') return mean
  return builder.node('Concat', [mean, reduceTokens(builder, 'ReduceMax', tensor, opset)], { axis: 1 })
}

/** From operator set 18 on the axes of a reduction are an input. */
function reduceTokens(builder: GraphBuilder, opType: string, tensor: string, opset: number): string {
  if (opset < 18) return builder.node(opType, [tensor], { axes: [1], keepdims: 0 })
  const axes = builder.initializer(`${opType}_axes`, { type: 'int64', dims: [1], data: BigInt64Array.of(1n) })
  return builder.node(opType, [tensor, axes], { keepdims: 0 })
}
