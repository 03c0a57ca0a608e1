import type { FeatureShape } from './feature-shape.ts'
import type { Operation } from './operations/operation.ts'
import type { ParameterDescription } from './operations/operation-rule.ts'

/** Name of the images that go in. */
export const inputName = 'input'

/** Name of the class scores that come out. */
export const logitsName = 'logits'

/** An operation with what its rule derives from the shapes of its inputs. */
export interface PlannedOperation {
  readonly operation: Operation
  readonly inputShapes: readonly FeatureShape[]
  /** Shape of a row of the result. */
  readonly shape: FeatureShape
  /** Multiply-accumulates of one row; 1 MAC = 2 FLOPs. */
  readonly macs: number
  readonly parameters: readonly ParameterDescription[]
}

/** The output of a block, where a gate may stand: every path from the input to the scores passes it. */
export interface BlockOutput {
  /** Name of the tensor, e.g. `block3`: in the plan, in the ONNX file and as a layer of the tfjs model. */
  readonly name: string
  /** `[height, width, channels]` */
  readonly shape: FeatureShape
  /** MACs of one row up to here. */
  readonly macs: number
  /** Those as a fraction of the whole network's, 0..1. */
  readonly share: number
}

/** A network as data: operations in an order in which they can run. Images are `[batch, height, width, channels]`. */
export interface NetworkPlan {
  /** Shape of an image. */
  readonly input: readonly [height: number, width: number, channels: number]
  readonly classes: number
  readonly operations: readonly PlannedOperation[]
  /** In network order. */
  readonly blocks: readonly BlockOutput[]
  /** MACs of one row. */
  readonly macs: number
}

/** All parameters of a network, moving statistics among them, in the plan's order. */
export function listParameters(plan: NetworkPlan): readonly ParameterDescription[] {
  return plan.operations.flatMap(({ parameters }) => parameters)
}
