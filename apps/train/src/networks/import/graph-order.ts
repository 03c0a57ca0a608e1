import type { NodeProto, OnnxModel } from '@sluice/onnx-graph'
import { WeightMismatchError } from '../errors.ts'
import type { NetworkPlan } from '../network-plan.ts'
import { describeFoldedNormalization } from '../operations/batch-normalization.ts'
import type { ParameterValues } from '../parameter-values.ts'
import { checkAttributes } from './check-attributes.ts'
import { checkSources } from './check-sources.ts'
import type { Match } from './match.ts'
import type { OnnxWeights } from './onnx-weights.ts'
import type { WeightedOperation } from './weighted-operations.ts'

/** Pairs the plan's operations with the file's nodes one by one. @throws WeightMismatchError where a pair does not fit */
export function importInGraphOrder(
  plan: NetworkPlan,
  operations: readonly WeightedOperation[],
  model: OnnxModel,
  weights: OnnxWeights,
): ParameterValues {
  const matches = pairNodes(operations, model)
  checkSources(plan, model, matches)
  return new Map(matches.flatMap((match) => readMatch(match, weights)))
}

function pairNodes(operations: readonly WeightedOperation[], { graph }: OnnxModel): Match[] {
  const operators = new Set(operations.map(({ operator }) => operator))
  const nodes = graph.node.filter(({ opType }) => operators.has(opType))
  const left = [...operations]
  const matches = nodes.map((node) => {
    const operation = left.shift()
    if (operation?.operator !== node.opType) {
      const expected = operation === undefined ? 'nothing' : `'${operation.name}' (${operation.operator})`
      throw new WeightMismatchError(`The ONNX file has ${node.opType} '${node.name}' where the plan has ${expected}.`)
    }
    checkAttributes(operation, node)
    return { operation, node, folded: hasExtraBias(operation, node) ? takeFolded(operation, left) : undefined }
  })
  const [missing] = left
  if (missing === undefined) return matches
  throw new WeightMismatchError(`The ONNX file has no ${missing.operator} for '${missing.name}'.`)
}

function hasExtraBias({ parameters }: WeightedOperation, node: NodeProto): boolean {
  return node.input.filter((name) => name !== '').length > parameters.length + 1
}

function takeFolded({ name }: WeightedOperation, left: WeightedOperation[]): WeightedOperation {
  const [next] = left
  if (next?.operator === 'BatchNormalization' && next.input === name) {
    left.shift()
    return next
  }
  throw new WeightMismatchError(`The ONNX file has a bias for '${name}', where the plan has none.`)
}

function readMatch({ operation, node, folded }: Match, weights: OnnxWeights): [string, Float32Array][] {
  const weightNames = node.input.slice(1)
  const values = operation.parameters.map((parameter, index): [string, Float32Array] => {
    return [parameter.description.name, weights.read(weightNames[index] ?? '', parameter)]
  })
  const [offset] = folded?.parameters ?? []
  if (folded === undefined || offset === undefined) return values
  const bias = weights.read(weightNames[operation.parameters.length] ?? '', offset)
  return [...values, ...describeFoldedNormalization(folded.name, bias)]
}
