import { create } from '@bufbuild/protobuf'
import { type GraphProto, GraphProtoSchema, ModelProtoSchema } from './generated/onnx_pb.ts'
import type { OnnxModel } from './onnx-model.ts'

/** The parts of a graph that differ in its edited copy. */
export type GraphChanges = Partial<
  Pick<GraphProto, 'node' | 'initializer' | 'sparseInitializer' | 'input' | 'output' | 'valueInfo'>
>

/** From this IR version on initialisers need not be listed among the inputs. */
const initializersStandAlone = 4n

/**
 * A copy of a model with parts of its graph replaced. Everything else (operator sets, metadata, functions, unknown
 * fields, the weights' memory) is shared with `model`, which stays as it is.
 */
export function replaceGraphParts(model: OnnxModel, changes: GraphChanges): OnnxModel {
  const { irVersion } = model.proto
  const graph = Object.assign(create(GraphProtoSchema), model.graph, changes)
  const version = irVersion < initializersStandAlone ? initializersStandAlone : irVersion
  const proto = Object.assign(create(ModelProtoSchema), model.proto, { graph, irVersion: version })
  return { ...model, proto, graph }
}

/** A copy of a model with another graph's nodes, initialisers, inputs and outputs appended to its own. */
export function appendGraph(model: OnnxModel, addition: GraphProto): OnnxModel {
  const { graph } = model
  return replaceGraphParts(model, {
    node: [...graph.node, ...addition.node],
    initializer: [...graph.initializer, ...addition.initializer],
    input: [...graph.input, ...addition.input],
    output: [...graph.output, ...addition.output],
  })
}
