import {
  type Backend,
  type Bundle,
  type BundleManifest,
  checkSpecVersion,
  type StageDescription,
  UnsupportedBundleError,
} from '@sluice/core'
import { countHeadInputs, findDominators, gateFeaturePooling } from '@sluice/onnx-graph'
import { findModelFlow, type ModelFlow } from './data-flow.ts'
import { createDeviceHead, type DeviceHead } from './device-head.ts'
import { readHeadFile } from './head-file.ts'
import { loadModel } from './load-model.ts'
import type { LoadedModel } from './loaded-model.ts'
import { readModelFiles } from './model-files.ts'
import { countTfjsFeatures } from './pool-features.ts'
import { createStagedModel, type LoadedStage } from './staged-model.ts'
import type { Tfjs } from './tfjs.ts'

/** What the backend runs on. */
export interface TfjsBackendOptions {
  /** TensorFlow.js; bundles run on whichever of its backends is active (`tf.setBackend`). */
  readonly tf: Tfjs
}

/**
 * A backend for bundles of the formats `tfjs-layers` and `tfjs-graph`. Activations stay on TensorFlow.js's device; scores
 * are copied from it when they are read.
 */
export function createTfjsBackend({ tf }: TfjsBackendOptions): Backend {
  const findName = () => `tfjs (${tf.getBackend() || 'not started'})`
  return {
    specVersion: 'v1',
    get name() {
      return findName()
    },
    capabilities: {
      formats: ['tfjs-layers', 'tfjs-graph'],
      get device() {
        return findDevice(tf)
      },
    },
    async load(bundle) {
      const { manifest } = bundle
      const name = findName()
      checkManifest(name, manifest)
      const model = await loadBundledModel(tf, name, bundle)
      const heads: (DeviceHead | null)[] = []
      try {
        checkStages(name, manifest, findModelFlow(model, manifest.stages.at(-1)?.scores))
        for (const stage of manifest.stages) checkFeatureWidth(name, stage)
        for (const index of manifest.stages.keys()) heads.push(await loadHead(tf, name, bundle, index))
      } catch (error) {
        for (const head of heads) head?.dispose()
        model.dispose()
        throw error
      }
      const stages = manifest.stages.map((description, index): LoadedStage => {
        return { description, head: heads[index] ?? null }
      })
      const network = { input: manifest.input, classCount: manifest.classes.length, stages: manifest.stages }
      return createStagedModel({ tf, network, model, stages })
    },
  }
}

const gpuBackends: readonly string[] = ['webgl', 'webgpu']

/** The native backend says itself whether its library was built for a GPU. */
function findDevice(tf: Tfjs): 'cpu' | 'gpu' {
  const name = tf.getBackend()
  if (name === 'tensorflow') return Reflect.get(tf.backend(), 'isUsingGpuDevice') === true ? 'gpu' : 'cpu'
  return gpuBackends.includes(name) ? 'gpu' : 'cpu'
}

function checkManifest(backend: string, manifest: BundleManifest): void {
  checkSpecVersion('The bundle', manifest)
  const { format, stages } = manifest
  if (format !== 'tfjs-layers' && format !== 'tfjs-graph') {
    throw new UnsupportedBundleError(
      backend,
      `its format is ${format}, not tfjs-layers or tfjs-graph. Use that format's adapter.`,
    )
  }
  const other = stages.find(({ file }) => file !== stages[0]?.file)
  if (other === undefined) return
  throw new UnsupportedBundleError(
    backend,
    `its stages name the files '${stages[0]?.file}' and '${other.file}'; stages of these formats are cuts of one model.`,
  )
}

async function loadBundledModel(tf: Tfjs, backend: string, bundle: Bundle): Promise<LoadedModel> {
  const file = bundle.manifest.stages[0]?.file ?? ''
  const folder = file.slice(0, file.lastIndexOf('/') + 1)
  const json = await bundle.read(file)
  const data = await readModelFiles({ json, read: (path) => bundle.read(`${folder}${path}`) })
  if (data.format === bundle.manifest.format) return await loadModel(tf, data)
  throw new UnsupportedBundleError(
    backend,
    `'${file}' is of the format ${data.format}, its manifest says ${bundle.manifest.format}.`,
  )
}

function checkStages(backend: string, { stages }: BundleManifest, flow: ModelFlow): void {
  const [first] = stages
  if (first?.input !== flow.input) {
    throw new UnsupportedBundleError(
      backend,
      `its model takes '${flow.input}'; its manifest says to take '${first?.input}'.`,
    )
  }
  const cuts = findDominators(flow)
  let previous = -1
  for (const { output } of stages.slice(0, -1)) {
    const position = cuts.indexOf(output ?? '')
    if (position <= previous) {
      throw new UnsupportedBundleError(
        backend,
        `'${output}' is no tensor of its model that everything passes behind the cut before it.`,
      )
    }
    previous = position
  }
}

function checkFeatureWidth(backend: string, { features, outputShape }: StageDescription): void {
  if (features === undefined || outputShape === null) return
  const width = countTfjsFeatures(outputShape, gateFeaturePooling)
  if (width === features.width) return
  throw new UnsupportedBundleError(
    backend,
    `its manifest says that '${features.output}' has ${features.width} values a row; a tensor [${outputShape.join(', ')}] has ${width} channels.`,
  )
}

/** Null for the last stage. */
async function loadHead(tf: Tfjs, backend: string, bundle: Bundle, index: number): Promise<DeviceHead | null> {
  const { stages, gates, classes } = bundle.manifest
  const { headFile, outputShape, scoresInput } = stages[index] as StageDescription
  if (index === stages.length - 1) return null
  const pooling = gates[index]?.head.pooling
  if (headFile === undefined || outputShape === null || pooling === undefined) {
    throw new UnsupportedBundleError(backend, `stage ${index} names no head file (headFile), or has no gate.`)
  }
  const head = readHeadFile(await bundle.read(headFile))
  const earlierScores = scoresInput === undefined ? 0 : classes.length
  const expected = [countTfjsFeatures(outputShape, pooling) + earlierScores, classes.length]
  const actual = [countHeadInputs(head.layers), head.layers.at(-1)?.outputs]
  if (actual.join() === expected.join()) return createDeviceHead(tf, head, pooling)
  throw new UnsupportedBundleError(
    backend,
    `the head in '${headFile}' turns ${actual.join(' values into ')}; its stage and classes need ${expected.join(' into ')}.`,
  )
}
