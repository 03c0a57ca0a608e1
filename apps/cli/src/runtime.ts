import { resolve } from 'node:path'
import { createOnnxRuntimeBackend, usesBlockedLayout } from '@sluice/adapter-onnxruntime/node'
import { createTfjsBackend } from '@sluice/adapter-tfjs'
import { createOnnxPlainNetworks, createStagedPlainNetworks, type PlainNetworks } from '@sluice/app-bench'
import { createBundlePolicy } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import type { Backend, Bundle, BundleFormat, BundleManifest, ExitPolicy, StagedModel } from '@sluice/core'
import { type Dataset, sampleShapeOf } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'
import { type ActiveBundle, removeIdleGates } from '@sluice/onnx-graph'
import { type BackendOptions, createEngine, isTfjsFormat, openTfjs, selectOnnxRuntime } from './backends.ts'
import type { CommandContext } from './context.ts'

/** What bundles of one format run on. */
interface BundleRuntime {
  readonly backend: Backend
  /** The same networks without gates, on the same engine. */
  readonly plainNetworks: (bundle: Bundle) => PlainNetworks
}

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
  /** The network of a bundle of the same format without gates, on the same engine. */
  readonly plainNetworks: (bundle: Bundle) => PlainNetworks
}

/** How a bundle is loaded. */
interface WithBundleOptions extends BackendOptions {
  /** Gates that are off are left out, so that they cost nothing, unless this is true. */
  readonly keepsIdleGates?: boolean
}

/** Opens a bundle, hands it to `work`, and frees it whatever happens. */
export async function withBundle<T>(
  path: string,
  context: CommandContext,
  options: WithBundleOptions,
  work: (loaded: LoadedBundle) => Promise<T>,
): Promise<T> {
  const folder = resolve(path)
  const source = await openBundleFolder(folder)
  const { bundle, sourceStages } = options.keepsIdleGates ? keepGates(source) : await removeIdleGates(source)
  const policy = createBundlePolicy(bundle.manifest)
  const { backend, plainNetworks } = await openRuntime(bundle.manifest.format, context, options)
  const plain = plainNetworks(bundle)
  const model = await backend.load(bundle)
  try {
    const networks = { backend, model, policy, plain, plainNetworks }
    return await work({ folder, source: source.manifest, bundle, sourceStages, ...networks })
  } finally {
    await model.dispose()
  }
}

/**
 * What bundles of a format run on.
 * @throws InvalidArgumentError for a backend that the format does not have
 */
async function openRuntime(
  format: BundleFormat,
  context: CommandContext,
  options: BackendOptions,
): Promise<BundleRuntime> {
  if (isTfjsFormat(format)) {
    const backend = createTfjsBackend({ tf: await openTfjs(context, options) })
    return { backend, plainNetworks: (bundle) => createStagedPlainNetworks(bundle, backend) }
  }
  const engine = createEngine(context, options)
  const runtime = selectOnnxRuntime(context, options)
  const hasLayoutHints = usesBlockedLayout(runtime)
  return {
    backend: createOnnxRuntimeBackend(runtime),
    plainNetworks: (bundle) => createOnnxPlainNetworks(bundle, engine, { hasLayoutHints }),
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

function keepGates(bundle: Bundle): ActiveBundle {
  return { bundle, sourceStages: [...bundle.manifest.stages.keys()] }
}
