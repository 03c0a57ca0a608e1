import { type Activation, activationRule } from './activation.ts'
import { type Addition, additionRule } from './addition.ts'
import { type BatchNormalization, batchNormalizationRule } from './batch-normalization.ts'
import { type Concatenation, concatenationRule } from './concatenation.ts'
import { type Convolution, convolutionRule } from './convolution.ts'
import { type Dense, denseRule } from './dense.ts'
import { type DepthwiseConvolution, depthwiseConvolutionRule } from './depthwise-convolution.ts'
import { type GlobalAverage, globalAverageRule } from './global-average.ts'
import type { OperationRule } from './operation-rule.ts'
import { type Pooling, poolingRule } from './pooling.ts'
import { type Subsample, subsampleRule } from './subsample.ts'

/** Any operation of a plan. A new kind is a file in this folder and a line in both lists. */
export type Operation =
  | Activation
  | Addition
  | BatchNormalization
  | Concatenation
  | Convolution
  | Dense
  | DepthwiseConvolution
  | GlobalAverage
  | Pooling
  | Subsample

const rules: { readonly [K in Operation['kind']]: OperationRule<Extract<Operation, { kind: K }>> } = {
  activation: activationRule,
  addition: additionRule,
  'batch-normalization': batchNormalizationRule,
  concatenation: concatenationRule,
  convolution: convolutionRule,
  dense: denseRule,
  'depthwise-convolution': depthwiseConvolutionRule,
  'global-average': globalAverageRule,
  pooling: poolingRule,
  subsample: subsampleRule,
}

/** The rule of an operation's kind. */
export function ruleOf(operation: Operation): OperationRule<Operation> {
  return rules[operation.kind]
}
