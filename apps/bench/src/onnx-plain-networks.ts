import { type Bundle, InvalidArgumentError } from '@sluice/core'
import {
  addLayoutHints,
  joinStages,
  type OnnxEngine,
  type OnnxModel,
  readOnnxModel,
  writeOnnxModel,
  yieldFirstValues,
} from '@sluice/onnx-graph'
import { loadAll } from './load-all.ts'
import type { PlainNetwork, PlainNetworks } from './plain-networks.ts'

export interface OnnxPlainNetworksOptions {
  /** Whether the gated network's stages get layout hints while loading, so that `loadHinted` is of use. Default false. */
  readonly hasLayoutHints?: boolean
}

/**
 * The plain networks of an ONNX bundle, each a session of one graph that is joined from the stages without their heads.
 * Truncated ones answer with one value per row; the hinted one is the whole network with `addLayoutHints`.
 */
export function createOnnxPlainNetworks(
  bundle: Bundle,
  engine: OnnxEngine,
  { hasLayoutHints = false }: OnnxPlainNetworksOptions = {},
): PlainNetworks {
  async function loadHinted(): Promise<PlainNetwork | null> {
    const full = joinStages(await readStages(bundle))
    const hinted = addLayoutHints(full)
    return hinted === full ? null : loadOnnxNetwork(engine, hinted)
  }
  return {
    loadFull: async () => loadOnnxNetwork(engine, joinStages(await readStages(bundle))),
    async loadTruncated() {
      const stages = await readStages(bundle)
      return loadAll(
        stages.map((_, stage) => () => {
          const joined = joinStages(stages.slice(0, stage + 1))
          return loadOnnxNetwork(engine, stage === stages.length - 1 ? joined : yieldFirstValues(joined))
        }),
      )
    },
    ...(hasLayoutHints && { loadHinted }),
  }
}

/** Loads a model of one input whose first output, float32 `[rows, classes]`, is taken for class scores. */
export async function loadOnnxNetwork(engine: OnnxEngine, model: OnnxModel): Promise<PlainNetwork> {
  const session = await engine.createSession(writeOnnxModel(model))
  const [input] = session.inputNames
  const [output] = session.outputNames
  if (input === undefined || output === undefined) {
    await session.release()
    throw new InvalidArgumentError('The network has no input or output.')
  }
  return {
    async run(images) {
      const scores = (await session.run({ [input]: images }))[output]
      if (scores === undefined || scores.type !== 'float32') {
        throw new InvalidArgumentError(`Output ${output} of the network is not float32.`)
      }
      const [rows = 0, classCount = 0] = scores.dims
      return { data: scores.data as Float32Array, rows, classCount }
    },
    release: () => session.release(),
  }
}

/** The bundle's stage files, heads included. */
async function readStages(bundle: Bundle): Promise<OnnxModel[]> {
  const files = bundle.manifest.stages.map(({ file }) => file)
  return Promise.all(files.map(async (file) => readOnnxModel(await bundle.read(file), { source: file })))
}
