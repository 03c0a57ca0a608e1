import { dimsOf, type OnnxModel } from '@sluice/onnx-graph'
import { WeightMismatchError } from '../errors.ts'
import type { NetworkPlan } from '../network-plan.ts'
import type { ParameterValues } from '../parameter-values.ts'
import { checkAttributes } from './check-attributes.ts'
import { checkSources } from './check-sources.ts'
import type { Match } from './match.ts'
import type { OnnxWeights } from './onnx-weights.ts'
import type { WeightedOperation } from './weighted-operations.ts'

/** Pairs each of the plan's operations with the node that reads its weights. @throws WeightMismatchError where none fits */
export function importByName(
  plan: NetworkPlan,
  operations: readonly WeightedOperation[],
  model: OnnxModel,
  weights: OnnxWeights,
): ParameterValues {
  const parameters = operations.flatMap((operation) => operation.parameters)
  const values = new Map(
    parameters.map((parameter) => [parameter.description.name, weights.read(parameter.description.name, parameter)]),
  )
  checkSources(
    plan,
    model,
    operations.map((operation) => findNode(operation, model)),
  )
  checkAllTaken(model, values)
  return values
}

function findNode(operation: WeightedOperation, { graph }: OnnxModel): Match {
  const names = operation.parameters.map(({ description }) => description.name)
  const node = graph.node.find(
    ({ opType, input }) => opType === operation.operator && input.slice(1).join() === names.join(),
  )
  if (node === undefined) {
    throw new WeightMismatchError(
      `The ONNX file has no ${operation.operator} that reads '${names.join("', '")}'. Describe the network that the file holds.`,
    )
  }
  checkAttributes(operation, node)
  return { operation, node, folded: undefined }
}

function checkAllTaken({ graph }: OnnxModel, values: ParameterValues): void {
  const left = graph.initializer.find((proto) => dimsOf(proto).length > 0 && !values.has(proto.name))
  if (left === undefined) return
  throw new WeightMismatchError(
    `The ONNX file has a weight '${left.name}' that the plan has no place for. Describe the network that the file holds.`,
  )
}
