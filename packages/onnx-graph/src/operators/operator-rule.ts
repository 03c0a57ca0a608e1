import type { TensorInfo } from '../tensor-info.ts'
import type { OperatorContext } from './operator-context.ts'

/**
 * All that is known about a family of operators, in one place. Adding an operator is writing one of these and naming it
 * in `operator-registry.ts`.
 */
export interface OperatorRule {
  /** Operator types of the default domain that follow this rule. */
  readonly types: readonly string[]
  /**
   * Shapes and element types of the outputs, in order, by plain arithmetic on known input shapes; values too, where the
   * operator takes part in shape arithmetic. Sizes need no checking: the caller refuses what is no size.
   * @throws SluiceError when the node contradicts its inputs or depends on values that are not constant
   */
  infer(context: OperatorContext): readonly TensorInfo[]
  /** Multiply-accumulates of one run; absent for operators that are not counted. Given what `infer` returned. */
  countMacs?(context: OperatorContext, outputs: readonly TensorInfo[]): number
}
