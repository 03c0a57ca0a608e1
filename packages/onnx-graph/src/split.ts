import { create } from '@bufbuild/protobuf'
import { InvalidArgumentError } from '@sluice/core'
import { type BatchShapes, createBatchShapes, type NetworkOptions, rowShape } from './batch-shapes.ts'
import { findCutTensors } from './cuts.ts'
import { replaceGraphParts } from './edit-graph.ts'
import { TypeProtoSchema, type ValueInfoProto, ValueInfoProtoSchema } from './generated/onnx_pb.ts'
import { createValueInfo } from './graph-builder.ts'
import { createGraphView, type GraphView } from './graph-view.ts'
import type { OnnxModel } from './onnx-model.ts'
import { collectStageNodes } from './stage-nodes.ts'
import { elementTypeCode } from './tensor-proto.ts'

/** A piece of a network between two cuts, as a model of its own with a symbolic batch. */
export interface Stage {
  readonly model: OnnxModel
  /** The network's input, or the cut tensor that the stage before hands over. */
  readonly input: string
  /** The cut tensor handed to the next stage; null for the last stage, which yields the network's (chosen) outputs. */
  readonly output: string | null
  /** Shape of one row of `output`; null for the last stage, and where no rule gives it. */
  readonly outputShape: readonly number[] | null
}

/**
 * Splits a network at cuts. Running the stages in a row gives what the whole gives. Stages depend on nothing but their
 * input: each holds the weights it uses (shared ones are in several stages, but not copied in memory). Names, operator
 * sets, metadata, functions and unknown fields are the source's; nodes that no output needs are left out.
 *
 * @param cutTensors names of cuts in network order, as `findCuts` lists them; none gives the whole network as one stage
 * @throws InvalidArgumentError for a tensor that is no cut, or cuts out of order
 * @throws UnsupportedGraphError when a later stage needs the shape of an earlier tensor that cannot be inferred
 */
export function splitIntoStages(
  model: OnnxModel,
  cutTensors: readonly string[],
  options: NetworkOptions = {},
): Stage[] {
  checkCuts(cutTensors, findCutTensors(model, options))
  const view = createGraphView(model, options.outputs)
  const source: Source = { model, view, shapes: createBatchShapes(model, options) }
  return [...cutTensors, null].map((output, index) => {
    const input = cutTensors[index - 1] ?? (view.inputs[0] as string)
    return extractStage(source, input, output)
  })
}

interface Source {
  readonly model: OnnxModel
  readonly view: GraphView
  readonly shapes: BatchShapes
}

function checkCuts(cutTensors: readonly string[], known: readonly string[]): void {
  let previous = -1
  for (const tensor of cutTensors) {
    const position = known.indexOf(tensor)
    if (position < 0) {
      throw new InvalidArgumentError(
        `The network cannot be cut at '${tensor}'; 'sluice inspect' lists the tensors where it can.`,
      )
    }
    if (position <= previous) {
      throw new InvalidArgumentError(
        `Cut '${tensor}' does not lie behind the one before it; list cuts in network order, each once.`,
      )
    }
    previous = position
  }
}

function extractStage(source: Source, input: string, output: string | null): Stage {
  const { model, view, shapes } = source
  const { graph } = model
  const { nodes, initializers, constants } = collectStageNodes(view, shapes, input, output)
  const outputs = output === null ? view.outputs : [output]
  const stageModel = replaceGraphParts(model, {
    node: nodes,
    initializer: [...graph.initializer.filter(({ name }) => constants.has(name)), ...initializers],
    sparseInitializer: graph.sparseInitializer.filter(({ values }) => constants.has(values?.name ?? '')),
    input: [declare(source, input)],
    output: outputs.map((name) => declare(source, name)),
    valueInfo: [],
  })
  const info = output === null ? undefined : shapes.tensor(output)
  return { model: stageModel, input, output, outputShape: info === undefined ? null : rowShape(info) }
}

/** A declaration with symbolic batch; the source's own where the tensor has none or its shape is unknown. */
function declare({ model, shapes }: Source, name: string): ValueInfoProto {
  const { input, output, valueInfo } = model.graph
  const info = shapes.tensor(name)
  const shape = info === undefined ? null : rowShape(info)
  if (info?.type && shape !== null) return createValueInfo(name, info.type, ['batch', ...shape])
  return [...input, ...output, ...valueInfo].find((declared) => declared.name === name) ?? declareUnknown(name)
}

/** Behind an operator without rules: float32 of any shape. Engines refuse the stage if the type is another. */
function declareUnknown(name: string): ValueInfoProto {
  const tensorType = { elemType: elementTypeCode('float32') }
  const type = create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } })
  return create(ValueInfoProtoSchema, { name, type })
}
