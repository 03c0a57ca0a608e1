import type { Backend } from '@sluice/core'
import type { OnnxEngine } from '@sluice/onnx-graph'
import { createBackend } from './backend.ts'
import { keepBlockedLayout } from './blocked-layout.ts'
import { createEngine } from './engine.ts'
import { createGpuStore } from './gpu-store.ts'
import { createHostStore } from './host-store.ts'
import type { OrtRuntime } from './ort-runtime.ts'
import type { EngineDescription } from './session-factory.ts'
import { createSessionOptions, type SessionSettings } from './session-settings.ts'

export * from './errors.ts'
export type { OrtRuntime, SessionSettings }

/** Execution providers of onnxruntime-node that Sluice knows how to use. */
export type NodeExecutionProvider = 'cpu' | 'cuda' | 'webgpu'

export interface OnnxRuntimeNodeOptions extends SessionSettings {
  /** The engine, e.g. `import * as ort from 'onnxruntime-node'`; imported with the first model when absent. */
  readonly ort?: OrtRuntime
  /**
   * Where operators run, most wanted first; `['cpu']` when absent. Operators that a provider lacks run on the cpu; a
   * provider that does not start is an error, never a silent change of device.
   */
  readonly executionProviders?: readonly NodeExecutionProvider[]
}

const providerHints: { readonly [P in NodeExecutionProvider]: string } = {
  cpu: "Reinstall onnxruntime-node with 'npm install onnxruntime-node'.",
  cuda: "Fetch its CUDA libraries with 'node node_modules/onnxruntime-node/script/install' (Linux x64, with CUDA 12 and cuDNN 9 installed), or use 'cpu'.",
  webgpu: "It needs a GPU with a Vulkan, Metal or Direct3D 12 driver; install one, or use 'cpu'.",
}

/**
 * A backend over onnxruntime-node. With `webgpu`, activations stay on the GPU between stages; with `cuda`, ONNX Runtime
 * brings every stage's outputs back to host memory.
 */
export function createOnnxRuntimeBackend(options: OnnxRuntimeNodeOptions = {}): Backend {
  const { executionProviders = ['cpu'] } = options
  const engine = describeEngine(options)
  if (executionProviders.includes('webgpu')) {
    return createBackend({ engine, device: 'gpu', createStore: (sessions) => createGpuStore(sessions, 'cpu') })
  }
  return createBackend({
    engine,
    device: 'cpu',
    createStore: ({ runtime }) => createHostStore(runtime, true),
    joinsGates: isCpuOnly(options),
    ...(usesBlockedLayout(options) ? { prepareStages: keepBlockedLayout } : {}),
  })
}

/**
 * Whether a backend with these options rewrites stages for the blocked layout of ONNX Runtime's convolutions while it loads
 * them, as `addLayoutHints` of `@sluice/onnx-graph` does with a whole network.
 */
export function usesBlockedLayout(options: OnnxRuntimeNodeOptions = {}): boolean {
  const isOptimised = (options.sessionOptions?.graphOptimizationLevel ?? 'all') === 'all'
  return isOptimised && isCpuOnly(options) && process.arch === 'x64'
}

function isCpuOnly({ executionProviders = ['cpu'] }: OnnxRuntimeNodeOptions): boolean {
  return executionProviders.every((provider) => provider === 'cpu')
}

/** Runs whole ONNX graphs on onnxruntime-node, for training and measuring. */
export function createOnnxEngine(options: OnnxRuntimeNodeOptions = {}): OnnxEngine {
  return createEngine(describeEngine(options))
}

function describeEngine(options: OnnxRuntimeNodeOptions): EngineDescription {
  const { ort, executionProviders = ['cpu'] } = options
  return {
    name: `onnxruntime-node (${executionProviders.join(', ')})`,
    packageName: 'onnxruntime-node',
    loadRuntime: async () => ort ?? (await import('onnxruntime-node')),
    sessionOptions: createSessionOptions(options, executionProviders),
    providerHint: executionProviders.map((provider) => providerHints[provider]).join(' '),
  }
}
