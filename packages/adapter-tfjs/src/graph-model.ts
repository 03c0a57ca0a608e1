import type { GraphModel, NamedTensorMap, Tensor } from '@tensorflow/tfjs'
import { InvalidTfjsModelError, inTfjs } from './errors.ts'
import type { DeclaredInput, LoadedModel, Operation, TensorShape } from './loaded-model.ts'
import type { TfjsModelData } from './model-files.ts'
import { sortSteps } from './sort-steps.ts'
import type { Tfjs } from './tfjs.ts'

/** Loads a GraphDef as tensorflowjs_converter writes it. @throws InvalidTfjsModelError */
export async function loadGraphModel(tf: Tfjs, { artifacts }: TfjsModelData): Promise<LoadedModel> {
  const nodes = readNodes(artifacts.modelTopology)
  const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts))
  return {
    format: 'tfjs-graph',
    inputs: model.inputs.map(({ name, shape }) => describeInput(name, shape)),
    outputs: model.outputs.map(({ name }) => name),
    operations: describeOperations(nodes),
    compute(from, value, to) {
      const [result] = execute(model, { [from]: value }, [to])
      return result as Tensor
    },
    measure(input, dims, operations) {
      const shapes = new Map<string, TensorShape>()
      tf.tidy(() => measure(model, { input, value: tf.zeros([...dims]), operations, shapes }))
      return shapes
    },
    dispose: () => model.dispose(),
  }
}

/** A node of a GraphDef in JSON. */
interface GraphNode {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr?: Readonly<Record<string, { readonly b?: boolean }>>
}

function readNodes(topology: unknown): GraphNode[] {
  const { node: nodes } = topology as { readonly node?: unknown }
  const isGraph =
    Array.isArray(nodes) && nodes.every(({ name, op }) => typeof name === 'string' && typeof op === 'string')
  if (isGraph) return nodes
  throw new InvalidTfjsModelError('its graph is no list of named nodes. Convert the model again.')
}

function describeInput(name: string, shape: readonly number[] | undefined): DeclaredInput {
  return { name, shape: shape?.map((size) => (size < 0 ? null : size)) ?? [] }
}

/** Every node but those that yield values by themselves. */
function describeOperations(nodes: readonly GraphNode[]): Operation[] {
  const secondary = findSecondaryOutputs(nodes)
  const operators = nodes.filter(({ op }) => op !== 'Placeholder' && op !== 'Const')
  const operations = operators.map(({ name, op, input = [], attr = {} }) => ({
    name,
    operator: op,
    inputs: readInputs(input),
    outputs: [name, ...(secondary.get(name) ?? [])],
    weightShapes: [],
    transposesLeft: attr.transpose_a?.b === true || attr.adj_x?.b === true,
  }))
  return sortSteps(operations)
}

/** `^name` only orders execution, and output 0 goes by the node's name alone. */
function readInputs(input: readonly string[]): string[] {
  return input.filter((tensor) => !tensor.startsWith('^')).map((tensor) => tensor.replace(/:0$/, ''))
}

/** The outputs `name:k` that some node reads, by node. */
function findSecondaryOutputs(nodes: readonly GraphNode[]): Map<string, Set<string>> {
  const outputs = new Map<string, Set<string>>()
  for (const tensor of nodes.flatMap(({ input = [] }) => readInputs(input))) {
    const [node = '', index] = tensor.split(':')
    if (index !== undefined) outputs.set(node, (outputs.get(node) ?? new Set()).add(tensor))
  }
  return outputs
}

function execute(model: GraphModel, feeds: NamedTensorMap, fetches: readonly string[]): Tensor[] {
  const results = inTfjs(
    `Computing '${fetches.at(-1)}' from '${Object.keys(feeds).join("', '")}'`,
    'Check the shape of the input, and that the model has no control flow (loops, conditions).',
    () => model.execute(feeds, [...fetches]),
  )
  return Array.isArray(results) ? results : [results]
}

interface Measurement {
  readonly input: string
  readonly value: Tensor
  readonly operations: readonly Operation[]
  /** Filled. */
  readonly shapes: Map<string, TensorShape>
}

/** Computes everything at once on a given input. */
function measure(model: GraphModel, { input, value, operations, shapes }: Measurement): void {
  const tensors = new Set(operations.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]))
  const computed = [...tensors].filter((name) => name !== input && model.weights[name] === undefined)
  shapes.set(input, shapeOf(value))
  execute(model, { [input]: value }, computed).forEach((tensor, index) => {
    shapes.set(computed[index] as string, shapeOf(tensor))
  })
  for (const [name, [weight]] of Object.entries(model.weights)) {
    if (weight !== undefined && tensors.has(name)) shapes.set(name, shapeOf(weight))
  }
}

function shapeOf({ dtype, shape }: Tensor): TensorShape {
  return { type: dtype, dims: [...shape] }
}
