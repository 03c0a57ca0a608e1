import { SluiceError } from '@sluice/core'
import { TfjsError } from './errors.ts'
import { loadGraphModel } from './graph-model.ts'
import { loadLayersModel } from './layers-model.ts'
import type { LoadedModel } from './loaded-model.ts'
import type { TfjsModelData } from './model-files.ts'
import type { Tfjs } from './tfjs.ts'
import type { TfjsFormat } from './tfjs-network.ts'

const loaders: Readonly<Record<TfjsFormat, typeof loadGraphModel>> = {
  'tfjs-graph': loadGraphModel,
  'tfjs-layers': loadLayersModel,
}

/**
 * Brings a model into the memory of the active backend; the caller disposes it.
 * @throws TfjsError, InvalidTfjsModelError, UnsupportedTfjsModelError
 */
export async function loadModel(tf: Tfjs, data: TfjsModelData): Promise<LoadedModel> {
  await tf.ready()
  try {
    return await loaders[data.format](tf, data)
  } catch (cause) {
    if (SluiceError.isInstance(cause)) throw cause
    const hint = 'Convert or save the model again, with a release of TensorFlow.js not newer than the one installed.'
    throw new TfjsError('Loading the model', hint, { cause })
  }
}
