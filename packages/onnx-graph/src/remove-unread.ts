import { replaceGraphParts } from './edit-graph.ts'
import { createGraphView } from './graph-view.ts'
import type { OnnxModel } from './onnx-model.ts'

/** A copy of a model without the nodes and initialisers that its outputs do not need. */
export function removeUnread(model: OnnxModel): OnnxModel {
  const { graph } = model
  const view = createGraphView(model)
  const read = new Set([...view.liveNodes.flatMap(view.inputsOf), ...view.outputs])
  const unread = new Set(graph.initializer.map(({ name }) => name).filter((name) => !read.has(name)))
  const isKept = ({ name }: { readonly name: string }) => !unread.has(name)
  return replaceGraphParts(model, {
    node: [...view.liveNodes],
    initializer: graph.initializer.filter(isKept),
    input: graph.input.filter(isKept),
  })
}
