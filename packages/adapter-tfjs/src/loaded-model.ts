import type { DataFlowStep } from '@sluice/onnx-graph'
import type { Tensor } from '@tensorflow/tfjs'
import type { TfjsFormat } from './tfjs-network.ts'

/** A step of a model: a node of a graph or one call of a layer. */
export interface Operation extends DataFlowStep {
  readonly name: string
  /** Operator of a graph's node, or a layer's class. */
  readonly operator: string
  /** Shapes of weights that are not among `inputs`: a layer's own. */
  readonly weightShapes: readonly (readonly number[])[]
  /** Whether a matrix product transposes its left operand. */
  readonly transposesLeft: boolean
}

/** What a tensor looks like in one run. */
export interface TensorShape {
  readonly type: string
  readonly dims: readonly number[]
}

/** An input as the file declares it, batch first; null where the file leaves a size open. */
export interface DeclaredInput {
  readonly name: string
  readonly shape: readonly (number | null)[]
}

/** A model in the engine's memory, whatever its format. */
export interface LoadedModel {
  readonly format: TfjsFormat
  readonly inputs: readonly DeclaredInput[]
  readonly outputs: readonly string[]
  /** In topological order; those on no path from an input may be among them. */
  readonly operations: readonly Operation[]
  /**
   * The tensor `to`, computed from the tensor `from` by what lies between alone. The caller owns the result.
   * @throws TfjsError
   */
  compute(from: string, value: Tensor, to: string): Tensor
  /** Shapes of all tensors that the given operations read and yield, for an input of shape `dims`. */
  measure(input: string, dims: readonly number[], operations: readonly Operation[]): ReadonlyMap<string, TensorShape>
  /** Frees the weights. */
  dispose(): void
}
