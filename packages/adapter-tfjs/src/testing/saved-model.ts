import type { io, LayersModel } from '@tensorflow/tfjs'
import type { Tfjs } from '../tfjs.ts'
import type { TfjsModelFiles } from '../tfjs-network.ts'
import { concatenateBytes } from './bytes.ts'

/** A saved model in memory. */
export interface SavedModel {
  readonly json: Uint8Array
  /** By path. */
  readonly shards: Readonly<Record<string, Uint8Array>>
}

/** Saves a model with one group and one shard file per layer, as published layers models are. */
export async function saveLayersModel(tf: Tfjs, model: LayersModel): Promise<SavedModel> {
  const { modelTopology, weightSpecs = [], weightData } = await saveArtifacts(tf, model)
  const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData))
  const groups = new Map<string, { specs: io.WeightsManifestEntry[]; bytes: Uint8Array[] }>()
  let position = 0
  for (const spec of weightSpecs) {
    const layer = spec.name.split('/').slice(0, -1).join('_')
    const group = groups.get(layer) ?? { specs: [], bytes: [] }
    const length = 4 * spec.shape.reduce((product, size) => product * size, 1)
    group.specs.push(spec)
    group.bytes.push(bytes.slice(position, position + length))
    groups.set(layer, group)
    position += length
  }
  const pathOf = (layer: string) => `${layer}-shard1of1`
  const weightsManifest = [...groups].map(([layer, { specs }]) => ({ paths: [pathOf(layer)], weights: specs }))
  const json = { format: 'layers-model', modelTopology, weightsManifest }
  return {
    json: new TextEncoder().encode(JSON.stringify(json)),
    shards: Object.fromEntries([...groups].map(([layer, group]) => [pathOf(layer), concatenateBytes(group.bytes)])),
  }
}

async function saveArtifacts(tf: Tfjs, model: LayersModel): Promise<io.ModelArtifacts> {
  return await new Promise((resolve, reject) => {
    const handler = tf.io.withSaveHandler(async (artifacts) => {
      resolve(artifacts)
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    })
    model.save(handler).catch(reject)
  })
}

/** The model's files as a network is opened from them. */
export function asModelFiles({ json, shards }: SavedModel): TfjsModelFiles {
  return {
    json,
    async read(path) {
      const bytes = shards[path]
      if (bytes === undefined) throw new Error(`no file ${path}`)
      return bytes
    },
  }
}
