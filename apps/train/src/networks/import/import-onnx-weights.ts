import type { OnnxModel } from '@sluice/onnx-graph'
import type { NetworkPlan } from '../network-plan.ts'
import type { ParameterValues } from '../parameter-values.ts'
import { importByName } from './by-name.ts'
import { importInGraphOrder } from './graph-order.ts'
import { createOnnxWeights } from './onnx-weights.ts'
import { listWeightedOperations } from './weighted-operations.ts'

/**
 * A network's parameters and moving statistics from an ONNX file: by name where the file has the plan's names, as those
 * that `exportOnnx` writes; otherwise in graph order. Either way each weight's shape, each operator's attributes and what
 * each one reads must agree with the plan, and no weight may be left. Operators without weights (activations, pooling)
 * are not compared.
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
  const isNamedAlike = parameters.every(({ description }) => weights.has(description.name))
  return (isNamedAlike ? importByName : importInGraphOrder)(plan, operations, model, weights)
}
