import { describeTensor } from '../tensor-info.ts'
import { resolveAxis, sizeOf } from './axes.ts'
import type { OperatorContext } from './operator-context.ts'
import type { OperatorRule } from './operator-rule.ts'

/** Scales some axes, or all: to sizes (input 3) or by factors (input 2). */
const resize: OperatorRule = {
  types: ['Resize'],
  infer(context) {
    const { type, dims } = context.input(0)
    const policy = context.string('keep_aspect_ratio_policy') ?? 'stretch'
    if (policy !== 'stretch') throw context.error(`its aspect ratio policy '${policy}' is not supported`)
    const axes = context.ints('axes')?.map((axis) => resolveAxis(context, axis, dims.length)) ?? [...dims.keys()]
    const sizes = axes.map((axis) => sizeOf(context, context.input(0), axis))
    const resized = scale(context, sizes)
    if (resized.length !== axes.length) throw context.error(`it has ${resized.length} sizes for ${axes.length} axes`)
    const resizedDims = dims.map((size, axis) => resized[axes.indexOf(axis)] ?? size)
    return [describeTensor(type, resizedDims)]
  },
}

/** Moves blocks of pixels into channels, or back. */
const rearrangeBlocks: OperatorRule = {
  types: ['DepthToSpace', 'SpaceToDepth'],
  infer(context) {
    const input = context.input(0)
    const [rows = 0, channels = 0, height = 0, width = 0] = [0, 1, 2, 3].map((axis) => sizeOf(context, input, axis))
    const block = context.int('blocksize') ?? 1
    const isWidening = context.node.opType === 'DepthToSpace'
    const dims = isWidening
      ? [rows, channels / block ** 2, height * block, width * block]
      : [rows, channels * block ** 2, height / block, width / block]
    return [describeTensor(input.type, dims)]
  },
}

/** The rules of changing the resolution; not counted. */
export const resizeRules: readonly OperatorRule[] = [resize, rearrangeBlocks]

function scale(context: OperatorContext, sizes: readonly number[]): readonly number[] {
  const target = context.constant(3) ?? []
  if (target.length > 0) return target
  const factors = context.constant(2) ?? []
  // Factors are float32, and so is the product that ONNX Runtime rounds down: 0.7 x 10 is 7 there, 6.9999998 in float64.
  return factors.map((factor, index) => Math.floor(Math.fround((sizes[index] ?? 0) * factor)))
}
