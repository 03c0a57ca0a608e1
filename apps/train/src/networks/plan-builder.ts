import { InvalidNetworkConfigError } from './errors.ts'
import { countChannels, type FeatureShape } from './feature-shape.ts'
import { type BlockOutput, inputName, logitsName, type NetworkPlan, type PlannedOperation } from './network-plan.ts'
import type { ActivationFunction } from './operations/activation.ts'
import { type Operation, ruleOf } from './operations/operation.ts'

/** The square window of a convolution, and the number of channels that leave it. */
export interface ConvolutionOptions {
  readonly channels: number
  readonly size: number
  /** Default 1. */
  readonly stride?: number
}

/** Appends operations. Every method takes names of tensors and returns the name of its result. */
export interface PlanBuilder {
  /** Channels of a tensor. */
  channelsOf(tensor: string): number
  /** Without a bias, padded by `(size - 1) / 2` zeros on every side. */
  convolution(name: string, input: string, options: ConvolutionOptions): string
  /** One filter per channel, otherwise as {@link convolution}. */
  depthwise(name: string, input: string, options: Omit<ConvolutionOptions, 'channels'>): string
  /** `initialScale` is 1 unless given. */
  normalize(name: string, input: string, initialScale?: number): string
  activate(name: string, input: string, activation?: ActivationFunction): string
  /** The input of a maximum with padding must not be negative, as it is padded by zeros. */
  pool(
    name: string,
    input: string,
    pooling: 'maximum' | 'average',
    size: number,
    stride: number,
    padding?: number,
  ): string
  add(name: string, left: string, right: string): string
  concatenate(name: string, left: string, right: string): string
  /** Every `stride`-th pixel, and zero channels on both sides up to `channels`. */
  subsample(name: string, input: string, stride: number, channels: number): string
  /** Marks a tensor as the output of a block. */
  block(tensor: string): string
  /** Global average pooling and a dense layer: the scores. */
  classify(input: string, classes: number): void
  build(): NetworkPlan
}

/** An empty plan to append to. */
export function createPlanBuilder(input: NetworkPlan['input']): PlanBuilder {
  const planned: PlannedOperation[] = []
  const shapes = new Map<string, FeatureShape>([[inputName, input]])
  const blocks: Omit<BlockOutput, 'share'>[] = []
  let macsSoFar = 0
  let classes = 0
  const shapeOf = (tensor: string) => {
    const shape = shapes.get(tensor)
    if (shape === undefined) throw new InvalidNetworkConfigError(`nothing gives '${tensor}'.`)
    return shape
  }
  const append = (operation: Operation) => {
    const rule = ruleOf(operation)
    const inputShapes = operation.inputs.map(shapeOf)
    const shape = rule.shape(operation, inputShapes)
    const macs = rule.macs(operation, inputShapes, shape)
    planned.push({ operation, inputShapes, shape, macs, parameters: rule.parameters(operation, inputShapes) })
    shapes.set(operation.name, shape)
    macsSoFar += macs
    return operation.name
  }
  return {
    channelsOf: (tensor) => countChannels(shapeOf(tensor)),
    convolution: (name, from, { channels, size, stride = 1 }) =>
      append({ kind: 'convolution', name, inputs: [from], channels, size, stride, padding: (size - 1) / 2 }),
    depthwise: (name, from, { size, stride = 1 }) =>
      append({ kind: 'depthwise-convolution', name, inputs: [from], size, stride, padding: (size - 1) / 2 }),
    normalize: (name, from, initialScale = 1) =>
      append({ kind: 'batch-normalization', name, inputs: [from], initialScale }),
    activate: (name, from, activation = 'relu') => append({ kind: 'activation', name, inputs: [from], activation }),
    pool: (name, from, pooling, size, stride, padding = 0) =>
      append({ kind: 'pooling', name, inputs: [from], pooling, size, stride, padding }),
    add: (name, left, right) => append({ kind: 'addition', name, inputs: [left, right] }),
    concatenate: (name, left, right) => append({ kind: 'concatenation', name, inputs: [left, right] }),
    subsample: (name, from, stride, channels) => append({ kind: 'subsample', name, inputs: [from], stride, channels }),
    block(tensor) {
      blocks.push({ name: tensor, shape: shapeOf(tensor), macs: macsSoFar })
      return tensor
    },
    classify(from, count) {
      classes = count
      append({ kind: 'global-average', name: 'pooled', inputs: [from] })
      append({ kind: 'dense', name: logitsName, inputs: ['pooled'], features: count })
    },
    build: () => ({
      input,
      classes,
      operations: planned,
      blocks: blocks.map((block) => ({ ...block, share: block.macs / macsSoFar })),
      macs: macsSoFar,
    }),
  }
}
