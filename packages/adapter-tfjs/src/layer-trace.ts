import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs'
import { UnsupportedTfjsModelError } from './errors.ts'
import type { Operation } from './loaded-model.ts'
import type { Tfjs } from './tfjs.ts'

type Layer = layers.Layer

/** One call of a layer. Its only output is named after the layer. */
export interface LayerCall extends Operation {
  readonly layer: Layer
  readonly type: string
  readonly arguments: Parameters<Layer['apply']>[1]
}

/** The calls of layers behind a model's outputs, in topological order, and the names of inputs and outputs. */
export interface LayerTrace {
  readonly calls: readonly LayerCall[]
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** What tensors are called inside one model; a model used as a layer has names of its own. */
interface Scope {
  readonly prefix: string
  /** By the symbolic tensor's id. */
  readonly names: Map<number, string>
}

/**
 * Walks back from a model's outputs. Models used as layers are opened: their layers are called `model/layer`. A layer
 * called more than once gets `:1`, `:2` after its name.
 *
 * @throws UnsupportedTfjsModelError for a layer with several outputs or one that masks its input
 */
export function traceLayers(tf: Tfjs, model: LayersModel): LayerTrace {
  const calls: LayerCall[] = []
  const uses = new Map<string, number>()

  const createName = (name: string): string => {
    const use = uses.get(name) ?? 0
    uses.set(name, use + 1)
    return use === 0 ? name : `${name}:${use}`
  }

  const visit = (tensor: SymbolicTensor, scope: Scope): string => {
    const known = scope.names.get(tensor.id)
    if (known !== undefined) return known
    const layer = tensor.sourceLayer
    const node = layer.inboundNodes[tensor.nodeIndex]
    const inputs = node?.inputTensors.map((input) => visit(input, scope)) ?? []
    const name = layer instanceof tf.LayersModel ? open(layer, inputs, scope) : call(layer, tensor, inputs, scope)
    scope.names.set(tensor.id, name)
    return name
  }

  const call = (layer: Layer, tensor: SymbolicTensor, inputs: readonly string[], { prefix }: Scope): string => {
    const node = layer.inboundNodes[tensor.nodeIndex]
    checkLayer(layer, node?.outputTensors.length ?? 0)
    const name = createName(`${prefix}${layer.name}`)
    calls.push({
      name,
      layer,
      operator: layer.getClassName(),
      inputs,
      outputs: [name],
      type: tensor.dtype,
      weightShapes: layer.weights.map(({ shape }) => shape.map(Number)),
      transposesLeft: false,
      arguments: node?.callArgs ?? {},
    })
    return name
  }

  const open = (inner: LayersModel, inputs: readonly string[], { prefix }: Scope): string => {
    const [output, ...others] = inner.outputs
    if (output === undefined || others.length > 0) throw failOutputs(inner, inner.outputs.length)
    const names = new Map(inner.inputs.map(({ id }, index) => [id, inputs[index] as string]))
    return visit(output, { prefix: `${prefix}${inner.name}/`, names })
  }

  const inputs = model.inputs.map(({ sourceLayer }) => createName(sourceLayer.name))
  const scope = { prefix: '', names: new Map(model.inputs.map(({ id }, index) => [id, inputs[index] as string])) }
  return { inputs, outputs: model.outputs.map((output) => visit(output, scope)), calls }
}

function checkLayer(layer: Layer, outputs: number): void {
  if (outputs !== 1) throw failOutputs(layer, outputs)
  const isMasking = layer.getClassName() === 'Masking' || layer.getConfig().maskZero === true
  if (isMasking) {
    throw new UnsupportedTfjsModelError(
      `Layer '${layer.name}' masks time steps; masks cannot pass a cut. Save the model without it.`,
    )
  }
}

function failOutputs({ name }: Layer, outputs: number): UnsupportedTfjsModelError {
  return new UnsupportedTfjsModelError(
    `Layer '${name}' has ${outputs} outputs; a layers model is cut at layers with one. Convert it to a graph model.`,
  )
}
