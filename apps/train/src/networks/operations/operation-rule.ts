import type { Tfjs } from '@sluice/adapter-tfjs'
import type * as tf from '@tensorflow/tfjs'
import type { FeatureShape } from '../feature-shape.ts'

/** What every operation of a plan has. */
export interface OperationBase {
  /** Name of the operation and of the tensor it gives. Its parameters are called `NAME.ROLE`. */
  readonly name: string
  /** Names of the tensors it reads. */
  readonly inputs: readonly string[]
}

/** One parameter tensor, in TensorFlow's layout. */
export interface ParameterDescription {
  readonly name: string
  /** Convolution `[k, k, in, out]`, depthwise `[k, k, channels, 1]`, dense `[in, out]`, everything else `[channels]`. */
  readonly shape: readonly number[]
  /** Moving means and variances follow the data instead of a gradient. */
  readonly trained: boolean
  /** Whether weight decay applies: to weights, but not to batch normalisation and biases. */
  readonly decays: boolean
  readonly initial: { readonly deviation: number } | { readonly value: number }
}

/** What an operation runs with. */
export interface ForwardContext {
  readonly tf: Tfjs
  /** The first input, or that at `index`, as a batch of maps `[batch, height, width, channels]`. */
  map(index?: number): tf.Tensor4D
  /** The only input as rows `[batch, features]`. */
  rows(): tf.Tensor2D
  /** Batch statistics instead of moving ones, which are updated. */
  readonly training: boolean
  /** A parameter of the operation by name. */
  parameter<R extends tf.Rank>(name: string): tf.Variable<R>
}

/** Appends to the ONNX graph. Maps are `[batch, channels, height, width]` there. */
export interface OnnxWriter {
  node(operator: string, inputs: readonly string[], attributes: OnnxAttributes, output?: string): string
  /** A parameter of the operation by name, in the layout that `permutation` makes of TensorFlow's; returns its name. */
  parameter(name: string, permutation?: readonly number[]): string
  /** A float32 constant without dimensions; returns its name. */
  number(value: number): string
  /** A list of int64 constants; returns its name. */
  integers(values: readonly number[]): string
}

/** Whole numbers, or a FLOAT marked as such. */
export interface OnnxAttributes {
  readonly [name: string]: number | readonly number[] | { readonly float: number }
}

/** Appends to the Keras topology of a layers model. Maps are `[batch, height, width, channels]` there. */
export interface LayersWriter {
  /** A layer with its weights: Keras' name of each by the plan's name of the parameter. Returns the layer's name. */
  layer(layer: LayerDescription): string
}

/** One Keras layer. */
export interface LayerDescription {
  readonly name: string
  readonly className: string
  readonly inputs: readonly string[]
  readonly config: Readonly<Record<string, unknown>>
  /** `[Keras' name, the plan's name]` of each weight, in Keras' order. */
  readonly weights?: readonly (readonly [string, string])[]
}

/** Everything one kind of operation declares, in one place. */
export interface OperationRule<T extends OperationBase> {
  /** Shape of a row of the result. @throws InvalidNetworkConfigError when the inputs do not fit */
  shape(operation: T, inputs: readonly FeatureShape[]): FeatureShape
  /** Multiply-accumulates of one row; 0 for what is not counted (design: cost convention). */
  macs(operation: T, inputs: readonly FeatureShape[], output: FeatureShape): number
  parameters(operation: T, inputs: readonly FeatureShape[]): readonly ParameterDescription[]
  /** The result, which the caller owns. */
  forward(operation: T, context: ForwardContext): tf.Tensor
  /** Appends nodes whose result is called `operation.name`. */
  writeOnnx(operation: T, writer: OnnxWriter, inputs: readonly FeatureShape[]): void
  /** Appends layers, the last of which is called `operation.name`. */
  writeLayers(operation: T, writer: LayersWriter, inputs: readonly FeatureShape[]): void
}
