import {
  type Backend,
  type Bundle,
  checkSpecVersion,
  type StageDescription,
  UnsupportedBundleError,
} from '@sluice/core'
import type { InferenceSession } from 'onnxruntime-common'
import type { ActivationStore } from './activation-store.ts'
import { canJoinStages, createGateJoiner } from './gate-joiner.ts'
import { createSessionFactory, type EngineDescription, type SessionFactory } from './session-factory.ts'
import type { StageFile } from './stage-file.ts'
import { createStagedModel, type LoadedStage } from './staged-model.ts'

/** An engine and where it keeps activations between stages. */
export interface BackendDescription {
  readonly engine: EngineDescription
  readonly device: 'cpu' | 'gpu'
  readonly createStore: (sessions: SessionFactory) => ActivationStore
  /** Rewrites stages for this engine and machine without changing what they compute. */
  readonly prepareStages?: (stages: readonly StageFile[], sessions: SessionFactory) => Promise<readonly StageFile[]>
  /** Whether `StagedModel.joinGates` is offered for bundles whose stages can be joined. */
  readonly joinsGates?: boolean
}

/** A backend for bundles of the format `onnx`. The engine is loaded with the first bundle. */
export function createBackend(description: BackendDescription): Backend {
  const { engine, device } = description
  return {
    specVersion: 'v1',
    name: engine.name,
    capabilities: { formats: ['onnx'], device },
    async load(bundle) {
      checkBundle(engine.name, bundle)
      const { input, classes } = bundle.manifest
      const sessions = await createSessionFactory(engine)
      const store = description.createStore(sessions)
      const { prepareStages = async (files: readonly StageFile[]) => files } = description
      const readStages = async () => prepareStages(await readStageFiles(bundle), sessions)
      const { stages, joiner } = await sessions.exclusively(async () => {
        const files = await readStages()
        const canJoin = description.joinsGates === true && canJoinStages(files)
        return {
          stages: await loadStages(engine.name, files, sessions, store),
          joiner: canJoin ? createGateJoiner({ classCount: classes.length, sessions, readStages }) : undefined,
        }
      })
      const network = { input, classCount: classes.length, stages: bundle.manifest.stages }
      return createStagedModel({ network, stages, sessions, store, joiner })
    },
  }
}

function checkBundle(backend: string, { manifest }: Bundle): void {
  checkSpecVersion('The bundle', manifest)
  if (manifest.format !== 'onnx') {
    throw new UnsupportedBundleError(backend, `its format is ${manifest.format}, not onnx. Use that format's adapter.`)
  }
}

async function loadStages(
  backend: string,
  files: readonly StageFile[],
  sessions: SessionFactory,
  store: ActivationStore,
): Promise<LoadedStage[]> {
  const stages: LoadedStage[] = []
  try {
    for (const { description, model, sessionOptions } of files) {
      const options = { ...sessionOptions, ...store.locateOutputs(description) }
      const session = await sessions.create(model, `Loading '${description.file}'`, options)
      stages.push({ description, session })
      checkNames(backend, description, session)
    }
    return stages
  } catch (error) {
    for (const { session } of stages) await session.release()
    throw error
  }
}

async function readStageFiles(bundle: Bundle): Promise<StageFile[]> {
  const files: StageFile[] = []
  for (const description of bundle.manifest.stages) {
    files.push({ description, model: await bundle.read(description.file) })
  }
  return files
}

function checkNames(backend: string, description: StageDescription, session: InferenceSession) {
  const { file, input, output, scores, scoresInput, features } = description
  const { inputNames, outputNames } = session
  const inputs = scoresInput === undefined ? [input] : [input, scoresInput]
  const outputs = [output, scores, features?.output].filter((name) => typeof name === 'string')
  const missing = outputs.find((name) => !outputNames.includes(name))
  const takesThem = inputNames.length === inputs.length && inputs.every((name) => inputNames.includes(name))
  if (missing === undefined && takesThem) return
  const actual = `[${inputNames.join(', ')}] and yields [${outputNames.join(', ')}]`
  const expected = `'${inputs.join("' and '")}' and to yield '${outputs.join("' and '")}'`
  throw new UnsupportedBundleError(backend, `'${file}' takes ${actual}; its manifest says to take ${expected}.`)
}
