import { join } from 'node:path'
import { openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { countElements } from '@sluice/core'
import type { io, layers } from '@tensorflow/tfjs'
import { drawTinyWeights, type TinyNetworkOptions, tinyClassCount, tinyWidth, writeAt } from './tiny-files.ts'

/**
 * Writes the tiny network as a LayersModel: `model.json`, and a shard for each layer. The weights are those of the ONNX
 * file, so that both give the same answers. Returns the folder.
 */
export async function writeTinyTfjsModel(
  folder: string,
  { givesMap = false }: Pick<TinyNetworkOptions, 'givesMap'> = {},
): Promise<string> {
  const tf = await openNodeTfjs('cpu')
  const { kernels, dense } = drawTinyWeights()
  const values = kernels.map(({ inputs, data }) =>
    // From [outputs, inputs, height, width] to [height, width, inputs, outputs].
    tf.tensor(data, [tinyWidth, inputs, 3, 3]).transpose([2, 3, 1, 0]),
  )
  const model = tf.sequential({ layers: kernels.map((_, index) => createConvolution(tf.layers, index)) })
  if (!givesMap) {
    model.add(tf.layers.flatten({ name: 'flat' }))
    model.add(tf.layers.dense({ name: 'logits', units: tinyClassCount, useBias: false }))
    // The inputs in the order [height, width, channels].
    const map = tf.tensor(dense, [tinyWidth, 8, 8, tinyClassCount]).transpose([1, 2, 0, 3])
    values.push(map.reshape([-1, tinyClassCount]))
  }
  model.setWeights(values)
  await model.save(tf.io.withSaveHandler((artifacts) => writeModel(folder, artifacts)))
  model.dispose()
  tf.dispose(values)
  return folder
}

function createConvolution({ conv2d }: typeof layers, index: number) {
  return conv2d({
    name: `conv${index}`,
    filters: tinyWidth,
    kernelSize: 3,
    padding: 'same',
    activation: 'relu',
    useBias: false,
    ...(index === 0 ? { inputShape: [8, 8, 3] } : {}),
  })
}

async function writeModel(
  folder: string,
  { modelTopology, weightSpecs = [], weightData }: io.ModelArtifacts,
): Promise<io.SaveResult> {
  const bytes = new Uint8Array(weightData as ArrayBuffer)
  let start = 0
  const weightsManifest: io.WeightsManifestConfig = []
  for (const [index, weight] of weightSpecs.entries()) {
    const path = `shard${index}.bin`
    const end = start + 4 * countElements(weight.shape)
    await writeAt(join(folder, path), bytes.subarray(start, end))
    weightsManifest.push({ paths: [path], weights: [weight] })
    start = end
  }
  await writeAt(join(folder, 'model.json'), JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }))
  return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
}
