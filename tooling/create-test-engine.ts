import type { OnnxEngine } from '@sluice/onnx-graph'
import { InferenceSession, Tensor } from 'onnxruntime-node'

/** ONNX Runtime's CPU provider as an engine, on one thread; for tests of packages that get their engine injected. */
export function createTestEngine(): OnnxEngine {
  const options = {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { set_denormal_as_zero: '1' } },
  } as const
  return {
    specVersion: 'v1',
    name: 'onnxruntime-node for tests',
    async createSession(model) {
      const session = await InferenceSession.create(model, options)
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        async run(feeds) {
          const inputs = Object.entries(feeds).map(([name, tensor]) => {
            return [name, new Tensor(tensor.type, tensor.data as Float32Array, tensor.dims)]
          })
          return (await session.run(Object.fromEntries(inputs))) as never
        },
        release: () => session.release(),
      }
    },
  }
}
