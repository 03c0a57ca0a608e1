import type { OnnxModel } from '@sluice/onnx-graph'
import type { NetworkPlan } from '../network-plan.ts'
import type { ParameterValues } from '../parameter-values.ts'
import { importInGraphOrder } from './graph-order.ts'
import { createOnnxWeights } from './onnx-weights.ts'
import { listWeightedOperations } from './weighted-operations.ts'

/**
 * A network's parameters and moving statistics from an ONNX file: by name where the file has the plan's names, as those
 * that `exportOnnx` writes; otherwise in graph order, where each weight's shape, each operator's attributes and what each
 * one reads must agree with the plan. Operators without weights (activations, pooling) are not compared.
 *
 * Exporters fold batch normalisation into the convolution before it. Its place then gets statistics and parameters that
 * only add the bias; call `restoreBatchStatistics` before such a network is trained.
 *
 * @throws WeightMismatchError that names the first weight that does not fit
 */
export function importOnnxWeights(plan: NetworkPlan, model: OnnxModel): ParameterValues {
  const operations = listWeightedOperations(plan)
  const weights = createOnnxWeights(model)
  const parameters = operations.flatMap((operation) => operation.parameters)
  if (!parameters.every(({ description }) => weights.has(description.name))) {
    return importInGraphOrder(plan, operations, model, weights)
  }
  return new Map(
    parameters.map((parameter) => [parameter.description.name, weights.read(parameter.description.name, parameter)]),
  )
}
