import { DisposedError, InvalidArgumentError, type Tensor } from '@sluice/core'
import type { NamedTensors, OnnxEngine, OnnxSession } from '@sluice/onnx-graph'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-common'
import { createSessionFactory, type EngineDescription, type SessionFactory } from './session-factory.ts'

/** Runs whole graphs on an engine, host tensors in and out. The engine is loaded with the first session. */
export function createEngine(engine: EngineDescription): OnnxEngine {
  return {
    specVersion: 'v1',
    name: engine.name,
    async createSession(model) {
      const sessions = await createSessionFactory(engine)
      const session = await sessions.exclusively(() => sessions.create(model, 'Loading the model'))
      return wrapSession(session, sessions)
    },
  }
}

function wrapSession(session: InferenceSession, sessions: SessionFactory): OnnxSession {
  const { inputNames, outputNames } = session
  const { Tensor } = sessions.runtime
  let released = false
  return {
    inputNames,
    outputNames,
    async run(feeds) {
      if (released) throw new DisposedError('The session')
      checkFeeds(feeds, inputNames)
      const converted: { [name: string]: OrtTensor } = {}
      for (const [name, { type, data, dims }] of Object.entries(feeds)) {
        converted[name] = new Tensor(type, data as Float32Array, dims) as OrtTensor
      }
      const results = await sessions.exclusively(() => sessions.run(session, 'Running the model', converted))
      return convertResults(results)
    },
    async release() {
      if (released) return
      released = true
      await sessions.exclusively(() => session.release())
    },
  }
}

function checkFeeds(feeds: NamedTensors, inputNames: readonly string[]): void {
  const names = Object.keys(feeds)
  if (names.length === inputNames.length && inputNames.every((name) => name in feeds)) return
  throw new InvalidArgumentError(`The feeds are [${names.join(', ')}]; the model takes [${inputNames.join(', ')}].`)
}

/** The arrays become the caller's: the engine keeps no reference to a host output. */
function convertResults(results: InferenceSession.ReturnType): NamedTensors {
  return Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]) => {
      if (!isDataType(type)) {
        throw new InvalidArgumentError(`Output '${name}' has element type ${type}; append a Cast to float32 or int64.`)
      }
      return [name, { type, dims, data } as Tensor]
    }),
  )
}

const dataTypes: readonly string[] = ['float32', 'int32', 'int64', 'uint8', 'bool'] satisfies Tensor['type'][]

function isDataType(type: string): type is Tensor['type'] {
  return dataTypes.includes(type)
}
