import type { NetworkPlan } from '../network-plan.ts'
import { ruleOf } from '../operations/operation.ts'
import type { OnnxAttributes, OnnxWriter, ParameterDescription } from '../operations/operation-rule.ts'

/** A parameter as an ONNX node takes it. */
export interface OnnxParameter {
  readonly description: ParameterDescription
  /** From TensorFlow's layout to ONNX's. */
  readonly permutation: readonly number[]
  /** In ONNX's layout. */
  readonly dims: readonly number[]
}

/** An operation with parameters, as the ONNX node that it is written as. */
export interface WeightedOperation {
  readonly name: string
  readonly input: string
  readonly operator: string
  readonly attributes: OnnxAttributes
  readonly parameters: readonly OnnxParameter[]
}

/** The plan's operations with parameters, in order: what exporting them writes is what importing them looks for. */
export function listWeightedOperations(plan: NetworkPlan): WeightedOperation[] {
  return plan.operations.flatMap(({ operation, inputShapes, parameters }) => {
    const written: WeightedOperation[] = []
    const taken: OnnxParameter[] = []
    const writer: OnnxWriter = {
      node(operator, [input = ''], attributes) {
        if (taken.length > 0) written.push({ name: operation.name, input, operator, attributes, parameters: taken })
        return operation.name
      },
      parameter(name, permutation) {
        const description = parameters.find((parameter) => parameter.name === name)
        if (description !== undefined) taken.push(describe(description, permutation))
        return name
      },
      number: () => '',
      integers: () => '',
    }
    ruleOf(operation).writeOnnx(operation, writer, inputShapes)
    return written
  })
}

function describe(description: ParameterDescription, order: readonly number[] | undefined): OnnxParameter {
  const permutation = order ?? description.shape.map((_, axis) => axis)
  return { description, permutation, dims: permutation.map((axis) => description.shape[axis] ?? 1) }
}
