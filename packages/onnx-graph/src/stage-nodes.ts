import type { Tensor } from '@sluice/core'
import { type BatchShapes, type BatchTensor, rowShape } from './batch-shapes.ts'
import { UnsupportedGraphError } from './errors.ts'
import type { NodeProto, TensorProto } from './generated/onnx_pb.ts'
import { createGraphBuilder, type GraphBuilder } from './graph-builder.ts'
import { type GraphView, isShapeReader } from './graph-view.ts'

/** What a stage consists of. */
export interface StageNodes {
  /** The stage's nodes in topological order: those that rebuild shapes, then the source's in file order. */
  readonly nodes: NodeProto[]
  /** Initialisers of the nodes that rebuild shapes. */
  readonly initializers: readonly TensorProto[]
  /** Names of the source's initialisers that the stage uses. */
  readonly constants: ReadonlySet<string>
}

/**
 * Collects what computes `output` (the network's outputs when null) from `input`: the data nodes between the two, and
 * the constants and shape arithmetic that these need, wherever in the file they stand. A `Shape` of a tensor outside
 * the stage is rebuilt from the batch size of `input` under its old name.
 *
 * @throws UnsupportedGraphError when such a shape cannot be inferred
 */
export function collectStageNodes(
  view: GraphView,
  shapes: BatchShapes,
  input: string,
  output: string | null,
): StageNodes {
  const dataNodes = nodesBetween(view, input, output)
  const ownTensors = new Set([input, ...dataNodes.flatMap((node) => node.output)])
  const rebuilder = createShapeRebuilder(shapes, input)
  const included = new Set(dataNodes)
  const constants = new Set<string>()
  const pending = dataNodes.flatMap(view.inputsOf)
  if (output === null) pending.push(...view.outputs)
  const visited = new Set(ownTensors)
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (visited.has(tensor)) continue
    visited.add(tensor)
    const producer = view.producerOf(tensor)
    if (producer === undefined) constants.add(tensor)
    else if (readsShapeOutside(producer, view, ownTensors)) rebuilder.rebuild(tensor)
    else {
      included.add(producer)
      pending.push(...view.inputsOf(producer))
    }
  }
  const { node, initializer } = rebuilder.builder.buildGraph()
  return {
    nodes: [...node, ...view.liveNodes.filter((candidate) => included.has(candidate))],
    initializers: initializer,
    constants,
  }
}

/** Every other node is an ancestor or a descendant of a cut, so the file order parts them exactly. */
function nodesBetween(view: GraphView, input: string, output: string | null): readonly NodeProto[] {
  const positionAfter = (tensor: string) => view.dataNodes.findIndex((node) => node.output.includes(tensor)) + 1
  return view.dataNodes.slice(positionAfter(input), output === null ? undefined : positionAfter(output))
}

function readsShapeOutside(node: NodeProto, view: GraphView, ownTensors: ReadonlySet<string>): boolean {
  const [subject = ''] = node.input
  return isShapeReader(node) && view.kindOf(subject) === 'data' && !ownTensors.has(subject)
}

interface ShapeRebuilder {
  readonly builder: GraphBuilder
  rebuild(tensor: string): void
}

/** Rebuilds shape values as `constant + perRow * batch`, element by element, with the batch size read off `input`. */
function createShapeRebuilder(shapes: BatchShapes, input: string): ShapeRebuilder {
  const builder = createGraphBuilder({ name: 'shapes', prefix: `sluice:shapes/${input}/` })
  let batch: string | null = null
  const readBatch = () => {
    const info = shapes.tensor(input)
    if (info === undefined || rowShape(info) === null) fail(input)
    const first = builder.initializer('first', { type: 'int64', dims: [], data: BigInt64Array.of(0n) })
    return builder.node('Gather', [builder.node('Shape', [input]), first])
  }
  return {
    builder,
    rebuild(tensor) {
      const info = shapes.tensor(tensor)
      if (info?.values == null) return fail(tensor)
      const store = (part: 'constant' | 'perRow') => builder.initializer(`${tensor}/${part}`, valuesOf(info, part))
      if (info.values.every(({ perRow }) => perRow === 0)) {
        builder.node('Identity', [store('constant')], {}, tensor)
        return
      }
      batch ??= readBatch()
      builder.node('Add', [builder.node('Mul', [batch, store('perRow')]), store('constant')], {}, tensor)
    },
  }
}

function valuesOf({ dims, values }: BatchTensor, part: 'constant' | 'perRow'): Tensor<'int64'> {
  const data = BigInt64Array.from(values ?? [], (value) => BigInt(value[part]))
  return { type: 'int64', dims: dims.map(({ constant }) => constant), data }
}

function fail(tensor: string): never {
  throw new UnsupportedGraphError(
    `A stage needs the shape '${tensor}' of an earlier stage, which cannot be inferred. Cut elsewhere, or add a shape rule for the operators before it.`,
  )
}
