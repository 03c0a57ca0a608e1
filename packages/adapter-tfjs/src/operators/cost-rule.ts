/** An operation with what its cost depends on. */
export interface CostedOperation {
  /** Shapes of what it reads, in order; for a layer its inputs, then its weights. */
  readonly operands: readonly (readonly number[])[]
  /** Shape of its output. */
  readonly output: readonly number[]
  /** Whether a matrix product transposes its left operand. */
  readonly transposesLeft: boolean
}

/** The cost of a family of operators, in one place. Adding one is writing one of these and naming it in `count-macs.ts`. */
export interface CostRule {
  /** Operators of graphs and classes of layers that follow this rule. */
  readonly types: readonly string[]
  /** Multiply-accumulates of one run; biases and padding as in ONNX: the first are not counted, the second is. */
  countMacs(operation: CostedOperation): number
}
