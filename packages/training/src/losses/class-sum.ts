import type { GraphBuilder } from '@sluice/onnx-graph'
import { integerConstant } from '../graph-constants.ts'

/** Appends the sum over the classes: `[batch, classes]` to `[batch, 1]`. Once per builder. */
export function sumClasses(builder: GraphBuilder, values: string): string {
  return builder.node('ReduceSum', [values, integerConstant(builder, 'class_axis', [1])])
}
