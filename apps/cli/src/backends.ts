import {
  createOnnxEngine,
  type NodeExecutionProvider,
  type OnnxRuntimeNodeOptions,
} from '@sluice/adapter-onnxruntime/node'
import type { Tfjs } from '@sluice/adapter-tfjs'
import { findBestNodeTfjsBackend, nodeTfjsBackends, openNodeTfjs } from '@sluice/adapter-tfjs/node'
import { type BundleFormat, InvalidArgumentError } from '@sluice/core'
import type { OnnxEngine } from '@sluice/onnx-graph'
import { Option } from 'commander'
import type { CommandContext } from './context.ts'

/** Where a model runs, as its user chooses. */
export interface BackendOptions {
  /** An execution provider of ONNX Runtime or a backend of TensorFlow.js, as the model's format has it. */
  readonly backend?: string | undefined
}

const executionProviders: readonly NodeExecutionProvider[] = ['cpu', 'cuda', 'webgpu']

/** The option behind {@link BackendOptions}. */
export function createBackendOption(): Option {
  return new Option(
    '--backend <name>',
    `where the model runs: ${executionProviders.join(', ')} for ONNX (cpu when absent), ${nodeTfjsBackends.join(', ')} for TensorFlow.js (the fastest that is installed when absent)`,
  )
}

/**
 * Names of the backends that bundles of a format can run on, installed or not: first the given one, or the one that runs
 * them unasked.
 * @throws InvalidArgumentError for an unknown name
 */
export function listBackends(format: BundleFormat, first?: string): readonly string[] {
  const chosen = isTfjsFormat(format)
    ? findName(nodeTfjsBackends, first ?? findBestNodeTfjsBackend(), 'TensorFlow.js')
    : findName(executionProviders, first ?? 'cpu', 'ONNX')
  const names: readonly string[] = isTfjsFormat(format) ? nodeTfjsBackends : executionProviders
  return [chosen, ...names.filter((name) => name !== chosen)]
}

/** Whether TensorFlow.js runs bundles of this format; ONNX Runtime does, or refuses, all others. */
export function isTfjsFormat(format: BundleFormat): boolean {
  return format === 'tfjs-layers' || format === 'tfjs-graph'
}

/** TensorFlow.js with its backend ready; it is loaded here and not before. @throws InvalidArgumentError for an unknown name */
export function openTfjs({ options }: CommandContext, { backend }: BackendOptions): Promise<Tfjs> {
  const { threads } = options
  const chosen =
    backend === undefined ? findBestNodeTfjsBackend() : findName(nodeTfjsBackends, backend, 'TensorFlow.js')
  return openNodeTfjs(chosen, { threads })
}

/** How ONNX Runtime is to run. @throws InvalidArgumentError for an unknown name */
export function selectOnnxRuntime({ options }: CommandContext, { backend }: BackendOptions): OnnxRuntimeNodeOptions {
  const { threads } = options
  if (backend === undefined) return { threads }
  return { threads, executionProviders: [findName(executionProviders, backend, 'ONNX')] }
}

/** Runs whole ONNX graphs. @throws InvalidArgumentError for an unknown name */
export function createEngine(context: CommandContext, options: BackendOptions): OnnxEngine {
  return createOnnxEngine(selectOnnxRuntime(context, options))
}

function findName<Name extends string>(names: readonly Name[], wanted: string, models: string): Name {
  const name = names.find((candidate) => candidate === wanted)
  if (name !== undefined) return name
  throw new InvalidArgumentError(`--backend ${wanted} does not run ${models} models; use one of ${names.join(', ')}.`)
}
