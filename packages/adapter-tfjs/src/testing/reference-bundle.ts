import type { Bundle, BundleFormat } from '@sluice/core'
import { type DenseLayer, describeReferenceNetwork, type ReferenceNetwork } from '@sluice/core/reference'
import type { SymbolicTensor } from '@tensorflow/tfjs'
import { type HeadFileLayer, writeHeadFile } from '../head-file.ts'
import type { Tfjs } from '../tfjs.ts'
import { attribute, createGraphDef } from './graph-def.ts'
import { type SavedModel, saveLayersModel } from './saved-model.ts'

/** A reference network as a bundle of a TensorFlow.js format in memory. */
export async function createReferenceTfjsBundle(
  tf: Tfjs,
  network: ReferenceNetwork,
  format: BundleFormat,
): Promise<Bundle> {
  const saved = format === 'tfjs-graph' ? saveAsGraph(network) : await saveAsLayers(tf, network)
  return createBundle(network, format, saved)
}

async function saveAsLayers(tf: Tfjs, network: ReferenceNetwork): Promise<SavedModel> {
  const { inputShape, stages } = network
  const input = tf.input({ name: 'input', shape: [...inputShape] })
  const start = inputShape.length > 1 ? (tf.layers.flatten().apply(input) as SymbolicTensor) : input
  const weights: (() => void)[] = []
  const output = stages.reduce((value, { layers }, stage) => {
    return layers.reduce((row, layer, index) => {
      const dense = tf.layers.dense({
        units: layer.bias.length,
        activation: layer.activation === 'none' ? 'linear' : layer.activation,
        name: nameLayer(network, stage, index),
      })
      weights.push(() => {
        tf.tidy(() => dense.setWeights([tf.transpose(tf.tensor2d(toRows(layer))), tf.tensor1d([...layer.bias])]))
      })
      return dense.apply(row) as SymbolicTensor
    }, value)
  }, start)
  const model = tf.model({ inputs: input, outputs: output })
  for (const setWeights of weights) setWeights()
  const saved = await saveLayersModel(tf, model)
  model.dispose()
  return saved
}

function saveAsGraph(network: ReferenceNetwork): SavedModel {
  const graph = createGraphDef()
  const size = network.inputShape.reduce((product, length) => product * length, 1)
  const shape = graph.constant('row', [2], Int32Array.of(-1, size))
  const start = graph.node('Reshape', 'flat', [graph.input('input', network.inputShape), shape])
  const operators = { relu: 'Relu', tanh: 'Tanh', none: 'Identity' }
  network.stages.reduce((value, { layers }, stage) => {
    return layers.reduce((row, layer, index) => {
      const name = nameLayer(network, stage, index)
      const { inputs, outputs, weights, bias } = convertLayer(layer)
      const operands = [row, graph.constant(`${name}/w`, [inputs, outputs], weights)]
      const product = graph.node('MatMul', `${name}/product`, operands, { transpose_a: attribute.bool(false) })
      const sum = graph.node('BiasAdd', `${name}/sum`, [product, graph.constant(`${name}/b`, [outputs], bias)])
      return graph.node(operators[layer.activation], name, [sum])
    }, value)
  }, start)
  return graph.save(64)
}

/** A stage's last layer bears the name of the tensor that the stage yields. */
function nameLayer({ stages }: ReferenceNetwork, stage: number, index: number): string {
  const isLast = index === (stages[stage]?.layers.length ?? 0) - 1
  const name = stage === stages.length - 1 ? 'scores' : `cut-${stage}`
  return isLast ? name : `${name}-${index}`
}

function toRows({ weights }: DenseLayer): number[][] {
  return weights.map((row) => [...row])
}

function convertLayer({ weights, bias, activation }: DenseLayer): HeadFileLayer {
  const [inputs, outputs] = [weights[0]?.length ?? 0, bias.length]
  const transposed = Array.from({ length: inputs }, (_, input) => weights.map((row) => row[input] as number))
  return {
    inputs,
    outputs,
    activation,
    weights: Float32Array.from(transposed.flat()),
    bias: Float32Array.from(bias),
  }
}

async function createBundle(
  network: ReferenceNetwork,
  format: BundleFormat,
  { json, shards }: SavedModel,
): Promise<Bundle> {
  const described = describeReferenceNetwork(network)
  const files = new Map(Object.entries({ 'model.json': json, ...shards }))
  const stages = described.stages.map((stage, index) => {
    const head = network.stages[index]?.head
    if (head == null) return { ...stage, file: 'model.json' }
    const headFile = `head-${index}.safetensors`
    files.set(headFile, writeHeadFile({ layers: head.map(convertLayer) }))
    return { ...stage, file: 'model.json', headFile }
  })
  const hashes = await Promise.all(
    Array.from(files, async ([path, bytes]) => {
      return [path, { sha256: await computeSha256(bytes), bytes: bytes.length }] as const
    }),
  )
  return {
    manifest: { ...described, format, stages, files: Object.fromEntries(hashes) },
    async read(path) {
      const bytes = files.get(path)
      if (bytes === undefined) throw new RangeError(`no file ${path}`)
      return bytes.slice()
    },
  }
}

async function computeSha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
