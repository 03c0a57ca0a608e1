import type { HeadDescription } from '@sluice/core'
import type { GraphBuilder } from '@sluice/onnx-graph'

/** What a head is fitted to. A loss is one file: what it compares scores with, its value and its gradient. */
export interface HeadLoss {
  readonly name: HeadDescription['loss']
  /** What `target` holds: 1 for the row's class and 0 elsewhere, or the full network's own scores. */
  readonly target: 'labels' | 'network-scores'
  /** Appends the nodes (operator set 17) that compute loss and gradient of a batch. */
  append(builder: GraphBuilder, batch: LossInputs): LossNodes
}

/** Names of what a loss is computed from, and the number of classes. */
export interface LossInputs {
  /** The head's scores, float32 `[batch, classes]`. */
  readonly scores: string
  /** float32 `[batch, classes]`, see `HeadLoss.target`. */
  readonly target: string
  readonly classCount: number
}

/** Names of what a loss yields. */
export interface LossNodes {
  /** The loss of each row, `[batch, 1]`. */
  readonly value: string
  /** The derivative of each row's own loss with respect to its scores, `[batch, classes]`. */
  readonly gradient: string
}
