import { type Bundle, type ClassScores, InvalidArgumentError, type Tensor } from '@sluice/core'
import {
  joinStages,
  type OnnxEngine,
  type OnnxModel,
  type OnnxSession,
  readOnnxModel,
  writeOnnxModel,
  yieldFirstValues,
} from '@sluice/onnx-graph'

/** The bundle's stage files as ONNX models, heads included. */
export async function readStages(bundle: Bundle): Promise<OnnxModel[]> {
  const files = bundle.manifest.stages.map(({ file }) => file)
  return Promise.all(files.map(async (file) => readOnnxModel(await bundle.read(file), { source: file })))
}

/** The plain backbone, joined from the stages without their heads, as a session of one graph: the rival in every comparison. */
export async function loadBackbone(engine: OnnxEngine, stages: readonly OnnxModel[]): Promise<OnnxSession> {
  return engine.createSession(writeOnnxModel(joinStages(stages)))
}

/** Runs a network of one input and returns its first output as class scores `[rows, classes]`. */
export async function runBackbone(session: OnnxSession, images: Tensor<'float32'>): Promise<ClassScores> {
  const [input] = session.inputNames
  const [output] = session.outputNames
  if (input === undefined || output === undefined) throw new InvalidArgumentError('The network has no input or output.')
  const scores = (await session.run({ [input]: images }))[output]
  if (scores === undefined || scores.type !== 'float32') {
    throw new InvalidArgumentError(`Output ${output} of the network is not float32.`)
  }
  const [rows = 0, classCount = 0] = scores.dims
  return { data: scores.data as Float32Array, rows, classCount }
}

/**
 * The backbone truncated at the cut behind each stage; the last one is the whole network. Truncated ones yield one value
 * per row: their time is that of the layers, without handing out an activation. The caller releases them.
 */
export async function loadTruncatedBackbones(engine: OnnxEngine, stages: readonly OnnxModel[]): Promise<OnnxSession[]> {
  const sessions: OnnxSession[] = []
  for (let count = 1; count < stages.length; count++) {
    const truncated = yieldFirstValues(joinStages(stages.slice(0, count)))
    sessions.push(await engine.createSession(writeOnnxModel(truncated)))
  }
  return [...sessions, await loadBackbone(engine, stages)]
}
