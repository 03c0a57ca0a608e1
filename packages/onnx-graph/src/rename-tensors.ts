import { create } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
} from './generated/onnx_pb.ts'

/**
 * A copy of a graph with other names for its tensors and nodes, in nested graphs too. Weights' memory is shared; an empty
 * name (an input left out) stays empty. Inputs and outputs of the graph are renamed like any other tensor.
 */
export function renameTensors(graph: GraphProto, rename: (name: string) => string): GraphProto {
  const named = (name: string) => (name === '' ? '' : rename(name))
  const renameNode = (node: NodeProto): NodeProto =>
    Object.assign(create(NodeProtoSchema), node, {
      name: named(node.name),
      input: node.input.map(named),
      output: node.output.map(named),
      attribute: node.attribute.map((attribute) =>
        attribute.g === undefined && attribute.graphs.length === 0
          ? attribute
          : Object.assign(create(AttributeProtoSchema), attribute, {
              g: attribute.g && renameTensors(attribute.g, rename),
              graphs: attribute.graphs.map((nested) => renameTensors(nested, rename)),
            }),
      ),
    })
  const renamed = <T extends { readonly name: string }>(items: readonly T[]): T[] =>
    items.map((item) => ({ ...item, name: named(item.name) }))
  return Object.assign(create(GraphProtoSchema), graph, {
    node: graph.node.map(renameNode),
    initializer: graph.initializer.map((tensor) =>
      Object.assign(create(TensorProtoSchema), tensor, { name: named(tensor.name) }),
    ),
    sparseInitializer: graph.sparseInitializer.map((tensor) => ({
      ...tensor,
      values: tensor.values && { ...tensor.values, name: named(tensor.values.name) },
    })),
    input: renamed(graph.input),
    output: renamed(graph.output),
    valueInfo: renamed(graph.valueInfo),
  })
}
