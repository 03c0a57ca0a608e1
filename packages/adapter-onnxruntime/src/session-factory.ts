import { createGraphBuilder, writeOnnxModel } from '@sluice/onnx-graph'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { EngineMissingError, ExecutionProviderError, OnnxRuntimeError } from './errors.ts'
import { type ExclusiveQueue, exclusiveQueueOf } from './exclusive-queue.ts'
import type { OrtRuntime } from './ort-runtime.ts'

/** One build of ONNX Runtime with the settings of its sessions. */
export interface EngineDescription {
  /** For messages and tables, e.g. `onnxruntime-node (cpu)`. */
  readonly name: string
  readonly packageName: string
  readonly loadRuntime: () => Promise<OrtRuntime>
  readonly sessionOptions: InferenceSession.SessionOptions
  /** What to do when the execution providers do not start. */
  readonly providerHint: string
}

/** Creates and runs sessions with errors that say what to do. Calls belong into the queue, see `exclusively`. */
export interface SessionFactory {
  readonly runtime: OrtRuntime
  readonly exclusively: ExclusiveQueue
  /**
   * @param what opens the error's message, e.g. `Loading 'stage-0.onnx'`
   * @param options besides the engine's
   * @throws ExecutionProviderError, OnnxRuntimeError
   */
  create(model: Uint8Array, what: string, options?: InferenceSession.SessionOptions): Promise<InferenceSession>
  /** Outputs named in `fetches`, or all. @throws OnnxRuntimeError */
  run(
    session: InferenceSession,
    what: string,
    feeds: { readonly [name: string]: Tensor },
    fetches?: { readonly [name: string]: Tensor | null },
  ): Promise<InferenceSession.ReturnType>
}

/** Loads the engine. @throws EngineMissingError */
export async function createSessionFactory(engine: EngineDescription): Promise<SessionFactory> {
  const runtime = await loadRuntime(engine)
  return {
    runtime,
    exclusively: exclusiveQueueOf(runtime),
    async create(model, what, options) {
      try {
        return await runtime.InferenceSession.create(model, { ...engine.sessionOptions, ...options })
      } catch (cause) {
        await checkProviders(runtime, engine)
        throw new OnnxRuntimeError(what, 'Check that the file is a whole ONNX model for this release.', { cause })
      }
    },
    async run(session, what, feeds, fetches) {
      try {
        return await (fetches === undefined ? session.run(feeds) : session.run(feeds, fetches))
      } catch (cause) {
        throw new OnnxRuntimeError(what, 'Check that the inputs fit the model, and that memory is left.', { cause })
      }
    },
  }
}

async function loadRuntime({ packageName, loadRuntime }: EngineDescription): Promise<OrtRuntime> {
  try {
    return await loadRuntime()
  } catch (cause) {
    throw new EngineMissingError(packageName, { cause })
  }
}

/** Tells a provider that does not start from a model that is refused: a trivial model starts only on the former's absence. */
async function checkProviders(runtime: OrtRuntime, { name, sessionOptions, providerHint }: EngineDescription) {
  const builder = createGraphBuilder({ name: 'probe' })
  builder.input('x', 'float32', [1])
  builder.node('Identity', ['x'], {}, 'y')
  builder.output('y', 'float32', [1])
  try {
    const probe = await runtime.InferenceSession.create(writeOnnxModel(builder.buildModel()), sessionOptions)
    await probe.release()
  } catch (cause) {
    throw new ExecutionProviderError(name, providerHint, { cause })
  }
}
