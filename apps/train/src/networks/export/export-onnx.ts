import { createGraphBuilder, float, type GraphBuilder, type OnnxModel } from '@sluice/onnx-graph'
import { inputName, logitsName, type NetworkPlan } from '../network-plan.ts'
import { ruleOf } from '../operations/operation.ts'
import type { OnnxWriter } from '../operations/operation-rule.ts'
import { createParameterReader, type ParameterValues, type ParameterWithValues } from '../parameter-values.ts'
import { permute } from './permute.ts'

/**
 * The network as ONNX: input `input` `[batch, channels, height, width]`, output `logits` `[batch, classes]`, tensors and
 * weights called as in the plan. Batch normalisations stay operators of their own, so that the file can be imported again
 * without loss; ONNX Runtime folds them into the convolutions before them as it loads.
 *
 * @throws WeightMismatchError when values of a parameter are missing or of another length
 */
export function exportOnnx(plan: NetworkPlan, values: ParameterValues): OnnxModel {
  const builder = createGraphBuilder({ name: 'network' })
  const [height, width, channels] = plan.input
  builder.input(inputName, 'float32', ['batch', channels, height, width])
  const writer = createOnnxWriter(builder, createParameterReader(plan, values))
  for (const { operation, inputShapes } of plan.operations) ruleOf(operation).writeOnnx(operation, writer, inputShapes)
  builder.output(logitsName, 'float32', ['batch', plan.classes])
  return builder.buildModel()
}

function createOnnxWriter(builder: GraphBuilder, readParameter: (name: string) => ParameterWithValues): OnnxWriter {
  return {
    node: (operator, inputs, attributes, output) => builder.node(operator, inputs, attributes, output),
    parameter(name, permutation) {
      const { description, data } = readParameter(name)
      const { shape } = description
      if (permutation === undefined) return builder.initializer(name, { type: 'float32', dims: shape, data })
      const dims = permutation.map((axis) => shape[axis] ?? 1)
      return builder.initializer(name, { type: 'float32', dims, data: permute(data, shape, permutation) })
    },
    number: (value) => builder.node('Constant', [], { value_float: float(value) }),
    integers: (values) => builder.node('Constant', [], { value_ints: values }),
  }
}
