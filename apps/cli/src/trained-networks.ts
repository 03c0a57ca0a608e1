import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createOnnxEngine } from '@sluice/adapter-onnxruntime/node'
import {
  type AssembledBundle,
  assembleTrainedBundle,
  attachGates,
  type Checkpoint,
  createOnnxNetwork,
  describeLaterPlacement,
  exportOnnx,
  exportTfjsLayers,
  type NetworkPlan,
  type TrainConfig,
  type TrainedNetwork,
} from '@sluice/app-train'
import { writeBundle } from '@sluice/bundle/node'
import { InvalidArgumentError } from '@sluice/core'
import type { Dataset } from '@sluice/datasets'
import { type OnnxModel, writeOnnxModel } from '@sluice/onnx-graph'
import type { CommandContext } from './context.ts'
import type { TrainingFolder } from './training-folder.ts'

/** A training on the command line: its config, its data and where it goes. */
export interface TrainJob {
  readonly context: CommandContext
  readonly config: TrainConfig
  readonly folder: TrainingFolder
  readonly plan: NetworkPlan
  readonly dataset: Dataset
  readonly testDataset: Dataset | null
  /** Where the training goes on; null for the start. */
  readonly checkpoint: Checkpoint | null
}

/**
 * Writes the network and, where there are gates, the bundle; returns the bundle's path or null. The bundle of a training
 * that was over before stays as it is: it may have been calibrated since.
 */
export async function writeNetworks(job: TrainJob, trained: TrainedNetwork, name: string): Promise<string | null> {
  const { config, context, folder, plan } = job
  const model = exportOnnx(plan, trained.values)
  await folder.write(folder.pathOf('model'), writeOnnxModel(model))
  const { json, shards } = exportTfjsLayers(plan, trained.values)
  for (const [path, bytes] of Object.entries(shards)) await folder.write(resolve(folder.pathOf('tfjs'), path), bytes)
  await folder.write(resolve(folder.pathOf('tfjs'), 'model.json'), json)
  if (config.gates.kind === 'none') return null
  const path = folder.pathOf('bundle')
  if (job.checkpoint?.progress.epoch === config.epochs && existsSync(path)) {
    context.note(`The training was over already; ${path} is kept as it is.`)
    return path
  }
  const bundle =
    config.gates.kind === 'after' ? await attachAfter(job, model, name) : await joinHeads(job, trained, model, name)
  await writeBundle({ ...bundle, folder: path, replace: true, signal: context.signal })
  return path
}

function joinHeads(
  { context, dataset, config }: TrainJob,
  trained: TrainedNetwork,
  model: OnnxModel,
  name: string,
): Promise<AssembledBundle> {
  const engine = createOnnxEngine({ threads: context.options.threads })
  return assembleTrainedBundle({ trained, model, engine, name, classes: dataset.classes, config })
}

async function attachAfter(
  { context, config, dataset }: TrainJob,
  model: OnnxModel,
  name: string,
): Promise<AssembledBundle> {
  const { gates, mean, std, seed } = config
  if (gates.kind !== 'after') throw new InvalidArgumentError(`Gates of kind ${gates.kind} are not attached afterwards.`)
  const { threads } = context.options
  const { loss, pool: poolSize, hidden, rank } = gates
  return attachGates({
    ...context,
    network: createOnnxNetwork(model, createOnnxEngine({ threads })),
    fitEngine: createOnnxEngine({ threads, denormalsAsZero: true }),
    name,
    dataset,
    input: { ...(mean && { mean }), ...(std && { std }) },
    placement: describeLaterPlacement(gates),
    heads: { kind: hidden === null ? 'linear' : 'mlp', loss, poolSize, hidden: hidden ?? 1, channels: [], rank },
    seed,
    memoryBudgetBytes: 2 * 2 ** 30,
  })
}
