import { inputName, logitsName, type NetworkPlan } from '../network-plan.ts'
import { ruleOf } from '../operations/operation.ts'
import type { LayerDescription } from '../operations/operation-rule.ts'
import { createParameterReader, type ParameterValues } from '../parameter-values.ts'

/** A tfjs model as files: `model.json` and its weight shards by the path that it names. The caller owns the bytes. */
export interface TfjsFiles {
  readonly json: Uint8Array
  readonly shards: Readonly<Record<string, Uint8Array>>
}

/** The usual size of a shard, which browsers cache. */
const shardBytes = 4 * 1024 * 1024

/**
 * The network as a layers model: input `input` `[batch, height, width, channels]`, output `logits`. The layer that gives a
 * tensor of the plan is called like it.
 *
 * @throws WeightMismatchError when values of a parameter are missing or of another length
 */
export function exportTfjsLayers(plan: NetworkPlan, values: ParameterValues): TfjsFiles {
  const layers = collectLayers(plan)
  const readParameter = createParameterReader(plan, values)
  const weights = layers.flatMap((layer) =>
    (layer.weights ?? []).map(([kerasName, name]) => {
      const { description, data } = readParameter(name)
      return { name: `${layer.name}/${kerasName}`, shape: description.shape, dtype: 'float32', data }
    }),
  )
  const shards = splitShards(joinFloats(weights.map(({ data }) => data)))
  const model = {
    format: 'layers-model',
    generatedBy: 'sluice',
    convertedBy: null,
    modelTopology: {
      keras_version: 'tfjs-layers 4',
      backend: 'tensor_flow.js',
      model_config: describeModel(plan, layers),
    },
    weightsManifest: [{ paths: Object.keys(shards), weights: weights.map(({ data: _data, ...spec }) => spec) }],
  }
  return { json: new TextEncoder().encode(JSON.stringify(model)), shards }
}

function collectLayers(plan: NetworkPlan): LayerDescription[] {
  const layers: LayerDescription[] = []
  const writer = {
    layer(layer: LayerDescription) {
      layers.push(layer)
      return layer.name
    },
  }
  for (const { operation, inputShapes } of plan.operations)
    ruleOf(operation).writeLayers(operation, writer, inputShapes)
  return layers
}

function describeModel(plan: NetworkPlan, layers: readonly LayerDescription[]) {
  const input = {
    class_name: 'InputLayer',
    name: inputName,
    config: { name: inputName, batch_input_shape: [null, ...plan.input], dtype: 'float32', sparse: false },
    inbound_nodes: [],
  }
  const others = layers.map(({ name, className, config, inputs }) => ({
    class_name: className,
    name,
    config: { name, trainable: true, ...config },
    inbound_nodes: [inputs.map((from) => [from, 0, 0, {}])],
  }))
  const ends = { input_layers: [[inputName, 0, 0]], output_layers: [[logitsName, 0, 0]] }
  return { class_name: 'Model', config: { name: 'network', layers: [input, ...others], ...ends } }
}

function joinFloats(parts: readonly Float32Array[]): Uint8Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return new Uint8Array(joined.buffer)
}

function splitShards(bytes: Uint8Array): Record<string, Uint8Array> {
  const count = Math.max(1, Math.ceil(bytes.length / shardBytes))
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `group1-shard${index + 1}of${count}.bin`,
      bytes.slice(index * shardBytes, (index + 1) * shardBytes),
    ]),
  )
}
