import type { PoolingDescription } from '@sluice/core'
import { addedPrefix } from './added-names.ts'
import { cutShape } from './cut-shape.ts'
import { appendGraph, replaceGraphParts } from './edit-graph.ts'
import { createGraphBuilder } from './graph-builder.ts'
import type { OnnxModel } from './onnx-model.ts'
import { appendPooling, countPooledFeatures } from './pooling.ts'
import { removeUnread } from './remove-unread.ts'

/** How the features that a gate yields are pooled, whatever its head pools. */
export const gateFeaturePooling: PoolingDescription = { size: 1, kind: 'average' }

/** Name of the output with the pooled features `[batch, width]` of the gate with the given index. */
export function gateFeaturesName(gateIndex: number): string {
  return `${addedPrefix}gate_${gateIndex}/features`
}

/**
 * A copy of a stage that yields pooled features of its cut tensor as one more output, {@link gateFeaturesName}.
 *
 * @param stage a model that declares `cutTensor` as an output with its shape, with or without a head
 * @throws InvalidArgumentError when the stage does not yield `cutTensor`
 */
export function addFeatures(stage: OnnxModel, cutTensor: string, gateIndex: number): OnnxModel {
  const shape = cutShape(stage, cutTensor)
  const output = gateFeaturesName(gateIndex)
  const builder = createGraphBuilder({ name: 'features', prefix: `${output}/` })
  const pooled = appendPooling(builder, { tensor: cutTensor, shape }, gateFeaturePooling, stage.opset)
  builder.node('Identity', [pooled], {}, output)
  builder.output(output, 'float32', ['batch', countPooledFeatures(shape, gateFeaturePooling)])
  return appendGraph(stage, builder.buildGraph())
}

/** A copy of a stage without the pooled features that it yields, and without what was there for them alone. */
export function removeFeatures(stage: OnnxModel, { output: features }: { readonly output: string }): OnnxModel {
  const output = stage.graph.output.filter(({ name }) => name !== features)
  return removeUnread(replaceGraphParts(stage, { output }))
}
