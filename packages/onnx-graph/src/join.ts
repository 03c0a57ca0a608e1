import { InvalidArgumentError } from '@sluice/core'
import { isAdded } from './added-names.ts'
import { replaceGraphParts } from './edit-graph.ts'
import type { NodeProto } from './generated/onnx_pb.ts'
import type { OnnxModel } from './onnx-model.ts'

export interface JoinOptions {
  /** Whether the last stage keeps its head, so that the result is one longer stage. Default false. */
  readonly keepLastHead?: boolean
}

/**
 * Joins stages to the plain backbone, without heads: the whole network, or, from the first stages only, the network
 * truncated at a cut. Undoes {@link splitIntoStages} and {@link addHead}. Names of nodes stay, and their order but for
 * constants; what several stages hold (shared weights, shape arithmetic) comes once.
 *
 * @param stages consecutive stages; each takes what the one before yields
 * @throws InvalidArgumentError for no stages, or stages that do not follow each other
 */
export function joinStages(stages: readonly OnnxModel[], { keepLastHead = false }: JoinOptions = {}): OnnxModel {
  const plain = stages.map((stage, index) => (keepLastHead && index === stages.length - 1 ? stage : removeHead(stage)))
  const [first, last] = [plain[0], plain.at(-1)]
  if (first === undefined || last === undefined) throw new InvalidArgumentError('There are no stages to join.')
  checkChain(plain)
  return replaceGraphParts(first, {
    node: uniqueNodes(plain.flatMap(({ graph }) => graph.node)),
    initializer: uniqueBy(
      plain.flatMap(({ graph }) => graph.initializer),
      ({ name }) => name,
    ),
    sparseInitializer: uniqueBy(
      plain.flatMap(({ graph }) => graph.sparseInitializer),
      ({ values }) => values?.name ?? '',
    ),
    output: last.graph.output,
  })
}

function removeHead(stage: OnnxModel): OnnxModel {
  const { node, initializer, input, output } = stage.graph
  return replaceGraphParts(stage, {
    node: node.filter(({ name }) => !isAdded(name)),
    initializer: initializer.filter(({ name }) => !isAdded(name)),
    input: input.filter(({ name }) => !isAdded(name)),
    output: output.filter(({ name }) => !isAdded(name)),
  })
}

function checkChain(stages: readonly OnnxModel[]): void {
  for (const [index, { graph }] of stages.slice(1).entries()) {
    const handedOver = stages[index]?.graph.output.map(({ name }) => name).join("', '")
    const taken = graph.input.map(({ name }) => name).join("', '")
    if (handedOver === taken) continue
    throw new InvalidArgumentError(
      `Stage ${index + 1} takes '${taken}' but stage ${index} yields '${handedOver}'. Pass consecutive stages.`,
    )
  }
}

/** Of nodes that yield the same tensor, the first one stays: they are copies of one another. */
function uniqueNodes(nodes: readonly NodeProto[]): NodeProto[] {
  return uniqueBy(nodes, ({ output }) => output.find(Boolean) ?? '')
}

function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const unique = new Map<string, T>()
  for (const item of items) if (!unique.has(keyOf(item))) unique.set(keyOf(item), item)
  return [...unique.values()]
}
