import type { Backend } from '@sluice/core'
import type { OnnxEngine } from '@sluice/onnx-graph'
import { createBackend } from './backend.ts'
import { createEngine } from './engine.ts'
import { createGpuStore } from './gpu-store.ts'
import { createHostStore } from './host-store.ts'
import type { OrtRuntime } from './ort-runtime.ts'
import type { EngineDescription } from './session-factory.ts'
import { createSessionOptions, type SessionSettings } from './session-settings.ts'

export * from './errors.ts'
export type { OrtRuntime, SessionSettings }

/** Execution providers of onnxruntime-web that Sluice knows how to use. */
export type WebExecutionProvider = 'wasm' | 'webgpu'

export interface OnnxRuntimeWebOptions extends SessionSettings {
  /** The engine, e.g. `import * as ort from 'onnxruntime-web'`; imported with the first model when absent. */
  readonly ort?: OrtRuntime
  /**
   * Where operators run; `['wasm']` when absent. Operators that webgpu lacks run in WebAssembly, listed or not. A
   * provider that does not start is an error: ask for an adapter first (`navigator.gpu.requestAdapter()`) and choose.
   */
  readonly executionProviders?: readonly WebExecutionProvider[]
  /**
   * Threads of the WebAssembly build, which all its sessions share: only the first model loaded on the page sets them.
   * More than one needs a cross-origin isolated page.
   */
  readonly threads?: number
}

const providerHints: { readonly [P in WebExecutionProvider]: string } = {
  wasm: 'Check that the .wasm files of onnxruntime-web are served and that ort.env.wasm.wasmPaths points to them.',
  webgpu: "It needs a browser with WebGPU and a GPU adapter (navigator.gpu.requestAdapter()); otherwise use 'wasm'.",
}

/** A backend over onnxruntime-web. With `webgpu`, activations stay on the GPU between stages. */
export function createOnnxRuntimeBackend(options: OnnxRuntimeWebOptions = {}): Backend {
  const usesWebGpu = providerOf(options) === 'webgpu'
  return createBackend({
    engine: describeEngine(options),
    device: usesWebGpu ? 'gpu' : 'cpu',
    createStore: (sessions) =>
      usesWebGpu ? createGpuStore(sessions, 'gpu-buffer') : createHostStore(sessions.runtime, false),
  })
}

/** Runs whole ONNX graphs on onnxruntime-web, for training and measuring. */
export function createOnnxEngine(options: OnnxRuntimeWebOptions = {}): OnnxEngine {
  return createEngine(describeEngine(options))
}

function describeEngine(options: OnnxRuntimeWebOptions): EngineDescription {
  const { ort, threads, ...settings } = options
  const provider = providerOf(options)
  return {
    name: `onnxruntime-web (${provider})`,
    packageName: 'onnxruntime-web',
    async loadRuntime() {
      const runtime = ort ?? (await import('onnxruntime-web'))
      if (threads !== undefined) runtime.env.wasm.numThreads = threads
      return runtime
    },
    sessionOptions: createSessionOptions(settings, [provider]),
    providerHint: providerHints[provider],
  }
}

/** Of two providers, onnxruntime-web would drop one that does not start with a mere warning; so it is given one. */
function providerOf({ executionProviders = ['wasm'] }: OnnxRuntimeWebOptions): WebExecutionProvider {
  return executionProviders.includes('webgpu') ? 'webgpu' : 'wasm'
}
