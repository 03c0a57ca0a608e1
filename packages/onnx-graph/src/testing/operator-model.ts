import { createGraphBuilder } from '../graph-builder.ts'
import type { OnnxModel } from '../onnx-model.ts'
import type { TensorInfo } from '../tensor-info.ts'
import type { Operand } from './operands.ts'
import type { OperatorCase } from './operator-cases.ts'

/** Which operands are stored in the model; the others are its inputs `x0`, `x1`, ... */
export type IsStored = (operand: Operand) => boolean

/** A model of one node. Its outputs are declared with the type and rank that `describe` tells, of nameless sizes. */
export function createOperatorModel(
  { operator, operands, attributes = {}, opset = 17, outputs = 1 }: OperatorCase,
  isStored: IsStored,
  describe: (output: string) => Pick<TensorInfo, 'type' | 'dims'> = () => ({ type: 'float32', dims: [] }),
): OnnxModel {
  const builder = createGraphBuilder({ name: operator, opset })
  const inputs = operands.map((operand, index) => {
    if (operand === null) return ''
    const { tensor } = operand
    if (isStored(operand)) return builder.initializer(`x${index}`, tensor)
    return builder.input(`x${index}`, tensor.type, tensor.dims)
  })
  for (const name of builder.nodes(operator, inputs, outputs, attributes)) {
    const { type, dims } = describe(name)
    builder.output(
      name,
      type ?? 'float32',
      dims.map((_, axis) => `size_${axis}`),
    )
  }
  return builder.buildModel()
}
