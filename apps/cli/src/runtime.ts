import { resolve } from 'node:path'
import { createOnnxEngine, createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { createOnnxPlainNetworks, type PlainNetworks } from '@sluice/app-bench'
import { createBundlePolicy } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import type { Backend, Bundle, BundleManifest, ExitPolicy, StagedModel } from '@sluice/core'
import { type Dataset, sampleShapeOf } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'
import { type ActiveBundle, removeIdleGates } from '@sluice/onnx-graph'
import type { CommandContext } from './context.ts'

/** A bundle loaded for running, with the policy that it describes. */
export interface LoadedBundle {
  readonly folder: string
  /** What stands in the folder, gates that are off included. */
  readonly source: BundleManifest
  readonly bundle: Bundle
  /** Per stage, the index of the stage in the folder that it ends with. */
  readonly sourceStages: readonly number[]
  readonly backend: Backend
  readonly model: StagedModel
  readonly policy: ExitPolicy
  /** The same network without gates. */
  readonly plain: PlainNetworks
}

/**
 * Opens a bundle, hands it to `work`, and frees it whatever happens. Gates that are off are left out unless
 * `keepsIdleGates`, so that they cost nothing.
 */
export async function withBundle<T>(
  path: string,
  context: CommandContext,
  work: (loaded: LoadedBundle) => Promise<T>,
  { keepsIdleGates = false } = {},
): Promise<T> {
  const folder = resolve(path)
  const source = await openBundleFolder(folder)
  const { bundle, sourceStages } = keepsIdleGates ? keepGates(source) : await removeIdleGates(source)
  const policy = createBundlePolicy(bundle.manifest)
  const backend = createOnnxRuntimeBackend({ threads: context.options.threads })
  const plain = createOnnxPlainNetworks(bundle, createEngine(context))
  const model = await backend.load(bundle)
  try {
    return await work({ folder, source: source.manifest, bundle, sourceStages, backend, model, policy, plain })
  } finally {
    await model.dispose()
  }
}

/** Opens data in the shape and with the classes that the bundle's network takes, and notes what was skipped. */
export async function openDataFor(bundle: Bundle, spec: string, context: CommandContext): Promise<Dataset> {
  const { input, classes } = bundle.manifest
  return openDataset(spec, {
    sampleShape: sampleShapeOf(input),
    classes,
    resize: input.resize,
    onWarning: context.note,
  })
}

export function createEngine({ options }: CommandContext) {
  return createOnnxEngine({ threads: options.threads })
}

function keepGates(bundle: Bundle): ActiveBundle {
  return { bundle, sourceStages: [...bundle.manifest.stages.keys()] }
}
