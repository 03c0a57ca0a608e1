import type { NodeProto } from '@sluice/onnx-graph'
import type { WeightedOperation } from './weighted-operations.ts'

/** An operation of the plan and the node of the file that has its weights. */
export interface Match {
  readonly operation: WeightedOperation
  readonly node: NodeProto
  /** The batch normalisation behind the operation whose scale is in the node's weights and whose offset is its bias. */
  readonly folded: WeightedOperation | undefined
}
