import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { findBestNodeTfjsBackend, openNodeTfjs } from '@sluice/adapter-tfjs/node'
import {
  decodeCheckpoint,
  type EpochMetrics,
  formatMetricsCsv,
  importOnnxWeights,
  listExits,
  parseTrainConfig,
  planNetwork,
  type TrainConfig,
  type TrainedNetwork,
  trainNetwork,
} from '@sluice/app-train'
import { InvalidArgumentError } from '@sluice/core'
import { ClassCountMismatchError } from '@sluice/datasets'
import { openDataset } from '@sluice/datasets/node'
import { readOnnxFile } from '@sluice/onnx-graph/node'
import type { Command } from 'commander'
import { addCommand, setAction } from '../command.ts'
import type { CommandContext, CommandResult, CommandRunner } from '../context.ts'
import { formatShare } from '../format.ts'
import { type TrainJob, writeNetworks } from '../trained-networks.ts'
import { drawTrainingCurves } from '../training-curves.ts'
import { openTrainingFolder, type TrainingFolder } from '../training-folder.ts'

interface TrainOptions {
  readonly out: string
  readonly resume?: boolean
  readonly force?: boolean
}

/** `sluice train`: trains a network from a config, with or without gates, and writes it as ONNX and for TensorFlow.js. */
export function addTrainCommand(program: Command, run: CommandRunner): void {
  const command = addCommand(
    program,
    'train <config>',
    'train a network that a JSON file describes, in TensorFlow.js',
    'sluice train resnet20.json --out resnet20',
  )
    .requiredOption('--out <folder>', 'where checkpoint, metrics, curves and networks go')
    .option('--resume', 'go on from the checkpoint in that folder')
    .option('--force', 'throw away the training in that folder')
  setAction<TrainOptions>(command, run, async (context, options, [path = '']) => {
    const config = parseTrainConfig(await readJson(path), context.options)
    const folder = await openTrainingFolder(resolve(options.out), options)
    const job = await openJob(context, config, folder)
    const trained = await train(job, `sluice train ${path} --out ${options.out} --resume`)
    const bundle = await writeNetworks(job, trained, basename(path, '.json'))
    return describeResult(job, trained, bundle)
  })
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new InvalidArgumentError(`${path} is no readable JSON: ${cause instanceof Error ? cause.message : cause}.`)
  }
}

async function openJob(context: CommandContext, config: TrainConfig, folder: TrainingFolder): Promise<TrainJob> {
  const plan = planNetwork(config.network)
  const [height, width, channels] = plan.input
  const open = async (spec: string, split: 'train' | 'test') => {
    const sampleShape = [channels, height, width]
    const dataset = await openDataset(spec, { split, sampleShape, onWarning: context.note })
    if (dataset.classes.length === plan.classes) return dataset
    throw new ClassCountMismatchError(dataset.name, dataset.classes.length, plan.classes)
  }
  const dataset = await open(config.data, 'train')
  const testDataset = config.test === null ? null : await open(config.test, 'test')
  const checkpoint = folder.checkpoint && decodeCheckpoint(folder.checkpoint, config, dataset.size)
  return { context, config, folder, plan, dataset, testDataset, checkpoint }
}

/** @param resumeCommand what to type to go on after an interruption */
async function train(job: TrainJob, resumeCommand: string): Promise<TrainedNetwork> {
  const { context, config, folder, plan, checkpoint } = job
  const { signal, options, note } = context
  const initialWeights = checkpoint === null ? config.initialWeights : null
  const tf = await openNodeTfjs(config.backend ?? findBestNodeTfjsBackend(), options)
  try {
    return await trainNetwork({
      ...job,
      ...context,
      tf,
      initialValues: initialWeights === null ? null : importOnnxWeights(plan, await readOnnxFile(initialWeights)),
      saveCheckpoint: (bytes) => folder.write(folder.pathOf('checkpoint'), bytes),
      onEpoch: (metrics, exits) => reportEpoch(job, metrics, exits),
    })
  } catch (error) {
    if (signal.aborted && error === signal.reason) note(`The checkpoint is kept. Go on with: ${resumeCommand}`)
    throw error
  }
}

async function reportEpoch(
  { context, config, folder }: TrainJob,
  metrics: readonly EpochMetrics[],
  exits: readonly string[],
) {
  await folder.write(folder.pathOf('metrics'), formatMetricsCsv(metrics, exits))
  await folder.write(folder.pathOf('curves'), drawTrainingCurves(metrics, exits))
  const last = metrics.at(-1)
  if (last === undefined) return
  const { epoch, loss, trainAccuracies, testAccuracies, seconds } = last
  const accuracies = [`training ${formatShare(trainAccuracies.at(-1) ?? 0)}`]
  if (testAccuracies !== null) accuracies.push(`test ${testAccuracies.map(formatShare).join(', ')}`)
  context.note(
    `epoch ${epoch} of ${config.epochs}: loss ${loss.toFixed(3)}, ${accuracies.join(', ')}, ${seconds.toFixed(0)} s`,
  )
}

function describeResult(
  { folder, config }: TrainJob,
  { heads, metrics }: TrainedNetwork,
  bundle: string | null,
): CommandResult {
  const last = metrics.at(-1)
  const exits = listExits(heads).map((name, index) => ({
    name,
    trainAccuracy: last?.trainAccuracies[index] ?? null,
    testAccuracy: last?.testAccuracies?.[index] ?? null,
  }))
  const [model, tfjs, curves] = (['model', 'tfjs', 'curves'] as const).map(folder.pathOf)
  const seconds = metrics.reduce((sum, epoch) => sum + epoch.seconds, 0)
  const gated = bundle === null ? [] : [`Its gates are in ${bundle}; sluice calibrate chooses their thresholds.`]
  return {
    json: { epochs: config.epochs, loss: last?.loss ?? null, exits, seconds, model, tfjs, curves, bundle },
    lines: [`Trained for ${config.epochs} epochs in ${seconds.toFixed(0)} s: ${model}, ${tfjs}, ${curves}`, ...gated],
  }
}
