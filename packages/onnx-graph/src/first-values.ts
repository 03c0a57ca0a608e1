import { InvalidArgumentError } from '@sluice/core'
import { addedPrefix } from './added-names.ts'
import { appendGraph, replaceGraphParts } from './edit-graph.ts'
import { createGraphBuilder } from './graph-builder.ts'
import type { OnnxModel } from './onnx-model.ts'

/**
 * A copy of a network that computes its first output, `[batch, ...]` of float32, but yields only the first value of each
 * row, as `[batch, 1]`. It times a truncated network without the copy of a whole activation that some engines hand out,
 * and without the garbage that such copies leave behind.
 * @throws InvalidArgumentError for a network without outputs
 */
export function yieldFirstValues(model: OnnxModel): OnnxModel {
  const output = model.graph.output[0]?.name
  if (output === undefined) throw new InvalidArgumentError('The network has no output.')
  const prefix = `${addedPrefix}first_values/`
  const builder = createGraphBuilder({ name: 'first values', prefix })
  const int64 = (name: string, value: bigint) =>
    builder.initializer(`${prefix}${name}`, { type: 'int64', dims: [1], data: BigInt64Array.of(value) })
  const [starts, ends, axes] = [int64('starts', 0n), int64('ends', 1n), int64('axes', 1n)]
  const rows = builder.node('Flatten', [output], { axis: 1 })
  const values = builder.node('Slice', [rows, starts, ends, axes])
  builder.output(values, 'float32', ['batch', 1])
  return appendGraph(replaceGraphParts(model, { output: [] }), builder.buildGraph())
}
