import type { OnnxModel } from '@sluice/onnx-graph'
import { WeightMismatchError } from '../errors.ts'
import type { NetworkPlan } from '../network-plan.ts'
import type { Match } from './match.ts'

/** One operation or node; `pair` is its number among the matched ones. */
interface Step {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly pair: number | undefined
}

/**
 * Order alone could take one of two parallel branches for the other. So each pair must also read from the same pairs on
 * both sides, with nothing that has weights between them.
 *
 * @throws WeightMismatchError for the first pair that does not
 */
export function checkSources(plan: NetworkPlan, { graph }: OnnxModel, matches: readonly Match[]): void {
  const pairOfName = new Map(matches.map(({ operation }, pair) => [operation.name, pair]))
  const pairOfNode = new Map(matches.map(({ node }, pair) => [node, pair]))
  const planned = traceSources(
    plan.operations.map(({ operation: { name, inputs } }) => ({ inputs, outputs: [name], pair: pairOfName.get(name) })),
  )
  const actual = traceSources(
    graph.node.map((node) => ({ inputs: node.input, outputs: node.output, pair: pairOfNode.get(node) })),
  )
  for (const { operation, node } of matches) {
    const [left, right] = [planned(operation.input), actual(node.input[0] ?? '')]
    if (left.size === right.size && [...left].every((pair) => right.has(pair))) continue
    throw new WeightMismatchError(
      `${node.opType} '${node.name}' stands where '${operation.name}' does, but reads from another part of the network. Describe the network that the file holds.`,
    )
  }
}

/** For each tensor, the pairs that it comes from without another pair between. */
function traceSources(steps: readonly Step[]): (tensor: string) => ReadonlySet<number> {
  const sources = new Map<string, ReadonlySet<number>>()
  const sourcesOf = (tensor: string) => sources.get(tensor) ?? new Set<number>()
  for (const { inputs, outputs, pair } of steps) {
    const reached = new Set(pair === undefined ? inputs.flatMap((input) => [...sourcesOf(input)]) : [pair])
    for (const output of outputs) sources.set(output, reached)
  }
  return sourcesOf
}
