import type { OperatorContext } from './operator-context.ts'

/** A window that slides over the spatial axes, as convolutions and pooling do. */
export interface Window {
  /** Extent per axis, dilation included. */
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  /** Padding at the begin of every axis, then at the end of every axis. */
  readonly pads: readonly number[]
}

/**
 * A node's window over the spatial axes.
 * @param kernelShape the kernel where the weights tell it; replaced by the attribute `kernel_shape`
 * @param sizes the input's spatial sizes
 * @throws ShapeInferenceError when ranks differ, or a stride or dilation is not positive
 */
export function readWindow(context: OperatorContext, kernelShape: readonly number[], sizes: readonly number[]): Window {
  const shape = context.ints('kernel_shape') ?? kernelShape
  const perAxis = (name: string) => context.ints(name) ?? sizes.map(() => 1)
  const [strides, dilations] = [perAxis('strides'), perAxis('dilations')]
  const pads = context.ints('pads') ?? [...sizes, ...sizes].map(() => 0)
  if ([shape, strides, dilations].some(({ length }) => length !== sizes.length) || pads.length !== 2 * sizes.length) {
    throw context.error(`its kernel, strides, dilations or pads do not fit an input with ${sizes.length} spatial axes`)
  }
  if ([...shape, ...strides, ...dilations].some((value) => value < 1)) {
    throw context.error('its kernel, strides and dilations must be positive')
  }
  return { kernel: shape.map((size, axis) => (size - 1) * (dilations[axis] ?? 1) + 1), strides, pads }
}

/** Padding on both sides of an axis. */
export function sumPads({ pads, strides }: Window, axis: number): number {
  return (pads[axis] ?? 0) + (pads[axis + strides.length] ?? 0)
}

/**
 * How many windows fit on each spatial axis: the output's sizes. `auto_pad` and, for pooling, `ceil_mode` are honoured;
 * a window that would start behind the input and its leading padding does not count (as in PyTorch and ONNX Runtime).
 * @throws ShapeInferenceError when no window fits
 */
export function countWindows(context: OperatorContext, window: Window, sizes: readonly number[]): number[] {
  const autoPad = context.string('auto_pad') ?? 'NOTSET'
  const ceil = context.int('ceil_mode') === 1
  return sizes.map((size, axis) => {
    const [kernel = 1, stride = 1] = [window.kernel[axis], window.strides[axis]]
    if (autoPad.startsWith('SAME')) return Math.ceil(size / stride)
    const room = size - kernel + (autoPad === 'VALID' ? 0 : sumPads(window, axis))
    if (room < 0) throw context.error(`its kernel spans ${kernel} elements, more than the padded input's ${size}`)
    const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
    const begin = (count - 1) * stride
    return ceil && begin >= size + (window.pads[axis] ?? 0) ? count - 1 : count
  })
}
