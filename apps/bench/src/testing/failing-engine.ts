import type { OnnxEngine } from '@sluice/onnx-graph'

/** An engine that creates one session, which runs nothing, and fails at the second; it counts what it gave and got back. */
export function createFailingEngine() {
  const seen = { created: 0, released: 0 }
  const engine: OnnxEngine = {
    specVersion: 'v1',
    name: 'failing',
    async createSession() {
      if (seen.created === 1) throw new Error('out of memory')
      seen.created++
      return {
        inputNames: ['input'],
        outputNames: ['scores'],
        run: async () => ({}),
        async release() {
          seen.released++
        },
      }
    },
  }
  return { engine, seen }
}
