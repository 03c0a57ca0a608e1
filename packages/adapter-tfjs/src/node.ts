import { createRequire } from 'node:module'
import { resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SluiceError } from '@sluice/core'
import type { Tfjs } from './tfjs.ts'

/** Backends of TensorFlow.js that can run in Node, the slowest first: JavaScript, WebAssembly, the native library. */
export const nodeTfjsBackends = ['cpu', 'wasm', 'tensorflow'] as const

export type NodeTfjsBackend = (typeof nodeTfjsBackends)[number]

export interface NodeTfjsOptions {
  /** Threads of one operator of the native backend; its own choice when absent. The others compute on one thread. */
  readonly threads?: number
}

/** A backend of TensorFlow.js is not installed, or does not start on this machine. */
export class TfjsBackendMissingError extends SluiceError {
  constructor(backend: string, hint: string, options?: { readonly cause: unknown }) {
    const cause = options?.cause instanceof Error ? `: ${options.cause.message.split('\n', 1)[0]}` : ''
    super('tfjs-backend-missing', `TensorFlow.js has no backend '${backend}' here${cause}. ${hint}`, options)
  }
}

/**
 * TensorFlow.js with one backend chosen and ready. All copies of TensorFlow.js in a process share one current backend: the
 * last one opened. `tensorflow` comes from the folder that the environment variable `SLUICE_TFJS_NODE` names, else from
 * where the process runs: `@tensorflow/tfjs-node-gpu`, else `@tensorflow/tfjs-node`. The native library is loaded once per
 * process, so `threads` counts the first time only.
 *
 * @throws TfjsBackendMissingError
 */
export async function openNodeTfjs(backend: NodeTfjsBackend, options: NodeTfjsOptions = {}): Promise<Tfjs> {
  const tf = await openers[backend](options)
  tf.enableProdMode()
  if (!(await tf.setBackend(backend))) {
    throw new TfjsBackendMissingError(backend, 'Reinstall its package, or choose another backend.')
  }
  return tf
}

/**
 * The fastest backend that is installed: `tensorflow` where {@link openNodeTfjs} would find it or `SLUICE_TFJS_NODE` is
 * set, else `wasm`. Nothing is loaded: an installation that does not work is an error when it is opened.
 */
export function findBestNodeTfjsBackend(): NodeTfjsBackend {
  const hasNative = Boolean(process.env.SLUICE_TFJS_NODE) || findNativePackage(createNativeRequire()) !== undefined
  return hasNative ? 'tensorflow' : 'wasm'
}

const openers: { readonly [B in NodeTfjsBackend]: (options: NodeTfjsOptions) => Promise<Tfjs> } = {
  cpu: () => import('@tensorflow/tfjs'),
  async wasm() {
    const tf = await import('@tensorflow/tfjs')
    await importWasm()
    return tf
  },
  async tensorflow({ threads }) {
    if (threads !== undefined) process.env.TF_NUM_INTRAOP_THREADS ??= String(threads)
    // TensorFlow tells of its build on every start.
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '1'
    return requireNative()
  },
}

async function importWasm(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-wasm')
  } catch (cause) {
    throw new TfjsBackendMissingError('wasm', "Install it with 'npm install @tensorflow/tfjs-backend-wasm'.", { cause })
  }
}

const nativeHint =
  "Install it with 'npm install @tensorflow/tfjs-node' (or tfjs-node-gpu), or build it and point SLUICE_TFJS_NODE to its folder: see the README of @sluice/adapter-tfjs."

/** The addon need not be installed and may lie outside this package's reach, so no import names it. */
function requireNative(): Tfjs {
  const require = createNativeRequire()
  try {
    return require(findNativePackage(require) ?? '@tensorflow/tfjs-node')
  } catch (cause) {
    throw new TfjsBackendMissingError('tensorflow', nativeHint, { cause })
  }
}

function createNativeRequire(): NodeJS.Require {
  const folder = process.env.SLUICE_TFJS_NODE || process.cwd()
  return createRequire(pathToFileURL(resolve(folder) + sep))
}

function findNativePackage(require: NodeJS.Require): string | undefined {
  return ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].find((name) => {
    try {
      require.resolve(name)
      return true
    } catch {
      return false
    }
  })
}
