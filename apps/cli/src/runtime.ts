import { resolve } from 'node:path'
import { createOnnxEngine, createOnnxRuntimeBackend } from '@sluice/adapter-onnxruntime/node'
import { createBundlePolicy } from '@sluice/app-train'
import { openBundleFolder } from '@sluice/bundle/node'
import type { Bundle, ExitPolicy, StagedModel } from '@sluice/core'
import { type Dataset, sampleShapeOf } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'
import type { CommandContext } from './context.ts'

/** A bundle loaded for running, with the policy that it describes. */
export interface LoadedBundle {
  readonly folder: string
  readonly bundle: Bundle
  readonly model: StagedModel
  readonly policy: ExitPolicy
}

/** Opens a bundle, hands it to `work`, and frees it whatever happens. */
export async function withBundle<T>(
  path: string,
  { options }: CommandContext,
  work: (loaded: LoadedBundle) => Promise<T>,
): Promise<T> {
  const folder = resolve(path)
  const bundle = await openBundleFolder(folder)
  const policy = createBundlePolicy(bundle.manifest)
  const model = await createOnnxRuntimeBackend({ threads: options.threads }).load(bundle)
  try {
    return await work({ folder, bundle, model, policy })
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
