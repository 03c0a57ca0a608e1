/**
 * What the network computed at a gate's cut, pooled: the mean over all positions of each channel (of each value over the
 * tokens; a vector as it is), in host memory. `data` is `[rows, width]`, row major.
 */
export interface PooledFeatures {
  readonly data: Float32Array
  readonly rows: number
  readonly width: number
}
