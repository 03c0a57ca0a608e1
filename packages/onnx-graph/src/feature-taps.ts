import type { PoolingDescription } from '@sluice/core'
import { addedPrefix } from './added-names.ts'
import { createBatchShapes, type NetworkOptions, rowShape } from './batch-shapes.ts'
import { appendGraph } from './edit-graph.ts'
import { UnsupportedGraphError } from './errors.ts'
import { createGraphBuilder } from './graph-builder.ts'
import type { OnnxModel } from './onnx-model.ts'
import { appendPooling, countPooledFeatures } from './pooling.ts'

/** A tensor whose pooled features are wanted. */
export interface FeatureTap {
  readonly tensor: string
  readonly pooling: PoolingDescription
}

/** Where a tap's features come out. */
export interface FeatureTapOutput {
  readonly tensor: string
  /** Name of the added network output, float32 `[batch, length]`. */
  readonly name: string
  readonly length: number
}

/**
 * A copy of a network that also yields pooled features of the given tensors, so that one pass over the data reads no
 * whole activation. The network's own outputs stay. `outputs` are in the order of `taps`; the features of a tap are
 * element by element those that a head with the same pooling sees.
 *
 * @throws UnsupportedGraphError for a tensor whose shape cannot be inferred, or without a leading batch dimension
 * @throws InvalidArgumentError for a tensor that the pooling does not suit
 */
export function addFeatureTaps(
  model: OnnxModel,
  taps: readonly FeatureTap[],
  options: Pick<NetworkOptions, 'inputShape'> = {},
): { readonly model: OnnxModel; readonly outputs: readonly FeatureTapOutput[] } {
  const shapes = createBatchShapes(model, { ...options, outputs: [] })
  let tapped = model
  const outputs = taps.map(({ tensor, pooling }, index) => {
    const info = shapes.tensor(tensor)
    const shape = info?.type === 'float32' ? rowShape(info) : null
    if (shape === null) throw failTap(tensor)
    const prefix = `${addedPrefix}tap_${index}/`
    const builder = createGraphBuilder({ name: 'tap', prefix })
    const output = { tensor, name: `${prefix}features`, length: countPooledFeatures(shape, pooling) }
    const features = appendPooling(builder, { tensor, shape }, pooling, model.opset)
    builder.node('Identity', [features], {}, output.name)
    builder.output(output.name, 'float32', ['batch', output.length])
    tapped = appendGraph(tapped, builder.buildGraph())
    return output
  })
  return { model: tapped, outputs }
}

function failTap(tensor: string): UnsupportedGraphError {
  return new UnsupportedGraphError(
    `Features of '${tensor}' cannot be pooled: it is no float32 tensor with a known shape and one row per sample. 'sluice inspect' lists the tensors that are.`,
  )
}
