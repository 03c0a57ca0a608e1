import { createGraphBuilder, type GraphBuilder, type HeadLayer } from '@sluice/onnx-graph'
import { appendForward, storeLayers } from './dense-layers.ts'
import type { FeatureRows } from './feature-store.ts'
import type { RowBlock } from './row-blocks.ts'

/** A graph that applies layers to some rows of a block; what it does with their outputs is still to be added. */
export interface RowsGraph {
  readonly graph: GraphBuilder
  /** Name of what the last layer yields for the wanted rows. */
  readonly outputs: string
}

/** Begins a graph that takes what {@link feedRows} gives and applies fitted layers. */
export function createRowsGraph(name: string, layers: readonly HeadLayer[], features: FeatureRows): RowsGraph {
  const { width, map } = features
  const graph = createGraphBuilder({ name })
  graph.input('features', 'float32', ['rows', width])
  graph.input('rows', 'int32', ['wanted'])
  const wanted = graph.node('Gather', ['features', 'rows'])
  const { scores } = appendForward(graph, { features: wanted, width, map }, storeLayers(graph, layers))
  return { graph, outputs: scores }
}

/**
 * What a {@link createRowsGraph} takes: a block of features `[length, width]` and the rows wanted of it.
 * @param rows counted from the block's start
 */
export function feedRows(
  block: Pick<RowBlock, 'length'> & { readonly data: Float32Array },
  rows: Uint32Array,
  { width }: Pick<FeatureRows, 'width'>,
) {
  return {
    features: { type: 'float32', dims: [block.length, width], data: block.data },
    rows: { type: 'int32', dims: [rows.length], data: Int32Array.from(rows) },
  } as const
}
