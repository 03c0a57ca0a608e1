import { UnsupportedGraphError } from './errors.ts'
import type { AttributeProto, GraphProto, NodeProto } from './generated/onnx_pb.ts'
import type { OnnxModel } from './onnx-model.ts'

/**
 * What a tensor depends on: `data` on the values of a network input; `shape` on the shapes of such tensors only (and so
 * on the batch size at most); `constant` on neither.
 */
export type TensorKind = 'constant' | 'shape' | 'data'

/** An index of a graph's tensors and nodes, seen from the outputs asked for. Nodes and names are the file's own. */
export interface GraphView {
  /** Network inputs that the outputs depend on; inputs that merely name an initialiser do not count. */
  readonly inputs: readonly string[]
  /** Network outputs asked for. */
  readonly outputs: readonly string[]
  /** Nodes that the outputs need, in file order, which is a topological order. Dead nodes are set aside. */
  readonly liveNodes: readonly NodeProto[]
  /**
   * Those on a path along which data flow from an input to an output. Shape arithmetic, constants and nodes of which
   * only the output's shape is used are set aside.
   */
  readonly dataNodes: readonly NodeProto[]
  /** The node that yields a tensor; undefined for inputs and initialisers. */
  producerOf(tensor: string): NodeProto | undefined
  /** Names of the tensors that a node reads, those that its subgraphs capture included, each once. */
  inputsOf(node: NodeProto): readonly string[]
  /** @throws UnsupportedGraphError for a name that the graph does not define */
  kindOf(tensor: string): TensorKind
}

/**
 * Indexes a model's graph.
 *
 * @param outputs names of the network outputs that count; all of them by default
 * @throws UnsupportedGraphError when a node reads a tensor that no earlier node yields, when two nodes yield the same
 *   tensor, or for an output that does not exist
 */
export function createGraphView(model: OnnxModel, outputs?: readonly string[]): GraphView {
  const { graph } = model
  const chosenOutputs = chooseOutputs(graph, outputs)
  const inputsByNode = new Map(graph.node.map((node) => [node, readNames(node)]))
  const inputsOf = (node: NodeProto) => inputsByNode.get(node) ?? readNames(node)
  const producers = indexProducers(graph)
  const kinds = classifyTensors(graph, inputsOf)
  const kindOf = (tensor: string) => {
    const kind = kinds.get(tensor)
    if (kind === undefined) throw new UnsupportedGraphError(`Tensor '${tensor}' does not exist in the graph.`)
    return kind
  }
  const liveNodes = traceBack(graph.node, chosenOutputs, inputsOf)
  const dataOutputs = chosenOutputs.filter((output) => kindOf(output) === 'data')
  const dataInputsOf = (node: NodeProto) => inputsOf(node).filter((tensor) => kindOf(tensor) === 'data')
  const used = new Set([...liveNodes.flatMap(inputsOf), ...chosenOutputs])
  return {
    inputs: dataInputNames(graph).filter((name) => used.has(name)),
    outputs: chosenOutputs,
    liveNodes,
    dataNodes: traceBack(liveNodes, dataOutputs, dataInputsOf),
    producerOf: (tensor) => producers.get(tensor),
    inputsOf,
    kindOf,
  }
}

/** Names of everything that a graph holds as an initialiser, dense or sparse. */
export function initializerNames(graph: GraphProto): Set<string> {
  const sparse = graph.sparseInitializer.map(({ values }) => values?.name ?? '')
  return new Set([...graph.initializer.map(({ name }) => name), ...sparse])
}

/** Up to IR version 3 initialisers are listed among the inputs, too. */
function dataInputNames(graph: GraphProto): string[] {
  const initializers = initializerNames(graph)
  return graph.input.map(({ name }) => name).filter((name) => !initializers.has(name))
}

function chooseOutputs(graph: GraphProto, chosen: readonly string[] | undefined): readonly string[] {
  const names = graph.output.map(({ name }) => name)
  const missing = chosen?.find((name) => !names.includes(name))
  if (missing !== undefined) {
    throw new UnsupportedGraphError(`The network has no output '${missing}'; it has '${names.join("', '")}'.`)
  }
  return chosen ?? names
}

function indexProducers(graph: GraphProto): Map<string, NodeProto> {
  const producers = new Map<string, NodeProto>()
  for (const node of graph.node) {
    for (const output of node.output.filter(Boolean)) {
      if (producers.has(output)) {
        throw new UnsupportedGraphError(`Two nodes yield tensor '${output}'. The graph is damaged; export it again.`)
      }
      producers.set(output, node)
    }
  }
  return producers
}

function classifyTensors(graph: GraphProto, inputsOf: (node: NodeProto) => readonly string[]): Map<string, TensorKind> {
  const kinds = new Map<string, TensorKind>()
  for (const name of initializerNames(graph)) kinds.set(name, 'constant')
  for (const name of dataInputNames(graph)) kinds.set(name, 'data')
  for (const node of graph.node) {
    const inputKinds = inputsOf(node).map((tensor) => kinds.get(tensor) ?? failUndefined(node, tensor))
    for (const output of node.output.filter(Boolean)) kinds.set(output, outputKind(node, inputKinds))
  }
  return kinds
}

function outputKind(node: NodeProto, inputs: readonly TensorKind[]): TensorKind {
  const readsData = inputs.includes('data')
  if (readsData) return isShapeReader(node) ? 'shape' : 'data'
  return inputs.includes('shape') ? 'shape' : 'constant'
}

/** Whether a node reads its input's shape and none of its values. */
export function isShapeReader({ domain, opType }: NodeProto): boolean {
  return (domain === '' || domain === 'ai.onnx') && (opType === 'Shape' || opType === 'Size')
}

function failUndefined(node: NodeProto, tensor: string): never {
  throw new UnsupportedGraphError(
    `Node '${node.name}' (${node.opType}) reads tensor '${tensor}', which no input, initialiser or earlier node yields. ONNX asks for sorted nodes without cycles; export the model again.`,
  )
}

/** The nodes, in their order, from which one of `targets` is reached along `inputsOf`. */
function traceBack(
  nodes: readonly NodeProto[],
  targets: readonly string[],
  inputsOf: (node: NodeProto) => readonly string[],
): NodeProto[] {
  const needed = new Set(targets)
  const reached: NodeProto[] = []
  for (const node of nodes.toReversed()) {
    if (!node.output.some((output) => needed.has(output))) continue
    reached.push(node)
    for (const input of inputsOf(node)) needed.add(input)
  }
  return reached.reverse()
}

function readNames(node: NodeProto): string[] {
  return [...new Set([...node.input.filter(Boolean), ...node.attribute.flatMap(attributeCaptures)])]
}

function attributeCaptures({ g, graphs }: AttributeProto): string[] {
  return [...(g === undefined ? [] : [g]), ...graphs].flatMap(captures)
}

/** Names that a subgraph (the body of an If, Loop or Scan) takes from the graph around it. */
function captures(body: GraphProto): string[] {
  const defined = initializerNames(body)
  for (const { name } of body.input) defined.add(name)
  for (const node of body.node) for (const output of node.output) defined.add(output)
  const read = [...body.node.flatMap(readNames), ...body.output.map(({ name }) => name)]
  return read.filter((name) => !defined.has(name))
}
