/** One axis of adaptive pooling. */
export interface PoolingWindows {
  /** Size of the axis. */
  readonly length: number
  /** Half-open ranges `[start, end)`, one per output position. They may overlap. */
  readonly windows: readonly (readonly [start: number, end: number])[]
  /** The same windows as one kernel at regular steps over the padded axis; null where there is no such kernel. */
  readonly kernel: PoolingKernel | null
}

export interface PoolingKernel {
  readonly size: number
  readonly stride: number
  readonly padBegin: number
  readonly padEnd: number
}

/**
 * Adaptive windows as PyTorch's `AdaptiveAvgPool2d` has them: window `i` of `n` covers `floor(i*length/n)` to
 * `ceil((i+1)*length/n)`. An axis shorter than `count` keeps its length.
 */
export function planWindows(length: number, count: number): PoolingWindows {
  const n = Math.min(count, length)
  const windows = Array.from({ length: n }, (_, i) => {
    return [Math.floor((i * length) / n), Math.ceil(((i + 1) * length) / n)] as const
  })
  return { length, windows, kernel: findKernel(length, windows) }
}

/** Size of the largest window. */
export function largestWindow({ windows }: PoolingWindows): number {
  return Math.max(...windows.map(([start, end]) => end - start))
}

/** Windows at the borders may be shorter: there the kernel reaches into the padding, e.g. 7 -> 4 with kernel 3, step 2. */
function findKernel(length: number, windows: PoolingWindows['windows']): PoolingKernel | null {
  const size = Math.max(...windows.map(([start, end]) => end - start))
  const padBegin = size - (windows[0]?.[1] ?? size)
  const stride = (windows[1]?.[0] ?? size) + padBegin
  const fits = windows.every(([start, end], i) => {
    const begin = i * stride - padBegin
    return Math.max(0, begin) === start && Math.min(length, begin + size) === end
  })
  const padEnd = (windows.length - 1) * stride - padBegin + size - length
  return fits ? { size, stride, padBegin, padEnd } : null
}
