import { setImmediate } from 'node:timers/promises'
import type { Tfjs } from '@sluice/adapter-tfjs'
import type { Dataset, Preprocessing } from '@sluice/datasets'
import type { HeadWeights } from '@sluice/onnx-graph'
import { planNetwork } from '../networks/network-config.ts'
import type { NetworkPlan } from '../networks/network-plan.ts'
import type { ParameterValues } from '../networks/parameter-values.ts'
import type { WorkOptions } from '../progress.ts'
import { type Checkpoint, encodeCheckpoint, type TrainProgress } from './checkpoint.ts'
import { TrainingDivergedError } from './errors.ts'
import { importInitialValues } from './import-initial-values.ts'
import { judgeExits } from './judge-exits.ts'
import { checkLaterGates } from './later-gates.ts'
import { learningRateAt } from './learning-rate.ts'
import { createLossWeights, type LossWeights } from './loss-weights.ts'
import { createMultiExitNetwork, type MultiExitNetwork } from './multi-exit-network.ts'
import { type NamedVariable, readVariables, writeVariables } from './named-variables.ts'
import { checkSamples, describePreprocessing } from './preprocessing.ts'
import { createSgd, type Sgd } from './sgd.ts'
import type { TrainConfig } from './train-config.ts'
import type { EpochMetrics } from './train-metrics.ts'
import { computeGradients } from './train-step.ts'
import { countSteps, trainingBatches } from './training-batches.ts'

export interface TrainNetworkOptions extends WorkOptions {
  readonly tf: Tfjs
  readonly config: TrainConfig
  readonly dataset: Dataset
  /** Null for no test accuracy. */
  readonly testDataset: Dataset | null
  /** Parameters and statistics by name to start from instead of random ones; heads stay random. Null for none. */
  readonly initialValues: ParameterValues | null
  /** Where to go on; null for the start. */
  readonly checkpoint: Checkpoint | null
  /** Keeps a checkpoint in place of the one before. */
  readonly saveCheckpoint: (bytes: Uint8Array) => Promise<void>
  /** Told of all epochs so far after each, and of the exits' names, the network's end last. */
  readonly onEpoch?: (metrics: readonly EpochMetrics[], exits: readonly string[]) => Promise<void> | void
}

/** A trained network. */
export interface TrainedNetwork {
  readonly plan: NetworkPlan
  /** Parameters, statistics and those of the heads, by name. */
  readonly values: ReadonlyMap<string, Float32Array>
  /** Jointly trained heads in network order; none unless gates are trained jointly. */
  readonly heads: readonly { readonly block: string; readonly head: HeadWeights }[]
  readonly metrics: readonly EpochMetrics[]
}

/**
 * Trains the network that a config describes, with its heads where gates are joint. The same config, data, initial values
 * and backend give the same network bit by bit, interrupted and resumed or not, as far as the backend itself repeats.
 * A checkpoint is kept every `config.checkpointMinutes`, at the end, and when the signal aborts.
 *
 * @throws InvalidArgumentError when config and data do not fit together
 * @throws TrainingDivergedError when the loss or a parameter is no longer finite
 * @throws the signal's reason when aborted, after a checkpoint
 */
export async function trainNetwork(options: TrainNetworkOptions): Promise<TrainedNetwork> {
  const training = startTraining(options)
  try {
    const { network, input, variables } = training
    const { tf, config, dataset, checkpoint, initialValues } = options
    if (checkpoint !== null) writeVariables(tf, variables, checkpoint.values)
    else if (initialValues !== null) {
      await importInitialValues(tf, network.backbone, initialValues, { dataset, input, seed: config.seed })
    }
    await runTraining(training)
    const { plan, progress } = training
    const values = await readVariables([...network.parameters, ...network.backbone.statistics])
    const heads = network.heads.map((head) => ({ block: head.block, head: head.describe(values) }))
    return { plan, values, heads, metrics: progress.metrics }
  } finally {
    training.sgd.dispose()
    training.network.dispose()
  }
}

/** Names of a network's exits, its end last. */
export function listExits(heads: readonly { readonly block: string }[]): string[] {
  return [...heads.map(({ block }) => block), 'end']
}

/** A training at work. */
interface Training {
  readonly options: TrainNetworkOptions
  readonly plan: NetworkPlan
  readonly input: Preprocessing
  readonly network: MultiExitNetwork
  readonly sgd: Sgd
  readonly lossWeights: LossWeights
  readonly stepsPerEpoch: number
  /** Everything that a checkpoint holds. */
  readonly variables: readonly NamedVariable[]
  progress: TrainProgress
  savedMs: number
}

const noProgress: TrainProgress = { epoch: 0, step: 0, lossSum: 0, right: [], seconds: 0, metrics: [], lossWeights: [] }

function startTraining(options: TrainNetworkOptions): Training {
  const { tf, config, dataset, testDataset, checkpoint } = options
  const plan = planNetwork(config.network)
  const input = describePreprocessing(plan, config)
  for (const data of testDataset === null ? [dataset] : [dataset, testDataset]) checkSamples(data, input)
  if (config.gates.kind === 'after') checkLaterGates(plan, config.gates)
  const stepsPerEpoch = countSteps(dataset, config.batch)
  const network = createMultiExitNetwork(tf, plan, config)
  const sgd = createSgd(tf, network.parameters, config.optimiser)
  const weighting = config.gates.kind === 'joint' ? config.gates.weights : []
  const state = checkpoint === null ? null : checkpoint.progress.lossWeights
  const lossWeights = createLossWeights(weighting, network.heads.length + 1, state)
  const progress = checkpoint?.progress ?? { ...noProgress, lossWeights: [...lossWeights.state] }
  const variables = [...network.parameters, ...network.backbone.statistics, ...sgd.state]
  const savedMs = performance.now()
  return { options, plan, input, network, sgd, lossWeights, stepsPerEpoch, variables, progress, savedMs }
}

async function runTraining(training: Training): Promise<void> {
  const { options, stepsPerEpoch } = training
  const { epochs } = options.config
  if (training.progress.epoch > 0) await options.onEpoch?.(training.progress.metrics, listExits(training.network.heads))
  while (training.progress.epoch < epochs) {
    const startMs = performance.now()
    const before = training.progress.seconds
    const seconds = () => before + (performance.now() - startMs) / 1000
    if (training.progress.step < stepsPerEpoch) await runSteps(training, seconds)
    await endEpoch(training, seconds)
  }
  await save(training)
}

/** The steps of the current epoch that are left. */
async function runSteps(training: Training, seconds: () => number): Promise<void> {
  const { options, input, stepsPerEpoch } = training
  const { dataset, config } = options
  const { epoch, step } = training.progress
  const { batch, augmentation, seed } = config
  for await (const samples of trainingBatches({ dataset, batch, augmentation, input, seed, epoch, firstStep: step })) {
    await pause(training, seconds)
    await runStep(training, samples)
    const { epoch, step, lossSum, right } = training.progress
    options.onProgress?.({
      phase: 'train',
      done: (epoch * stepsPerEpoch + step) * batch,
      total: config.epochs * stepsPerEpoch * batch,
      unit: 'images',
      detail: `epoch ${epoch + 1}, loss ${(lossSum / step).toFixed(3)}, accuracy ${((100 * (right.at(-1) ?? 0)) / (step * batch)).toFixed(1)} %`,
    })
  }
}

async function runStep(training: Training, samples: Parameters<typeof computeGradients>[2]): Promise<void> {
  const { options, plan, network, sgd, lossWeights, progress } = training
  const { weights } = lossWeights
  const { labelSmoothing } = options.config.optimiser
  const { input, classes } = plan
  const outcome = await computeGradients(options.tf, network, samples, { input, classes, labelSmoothing, weights })
  const loss = outcome.losses.reduce((sum, value, exit) => sum + value * (weights[exit] ?? 0), 0)
  try {
    if (!Number.isFinite(loss)) throw new TrainingDivergedError('The loss', progress.epoch, progress.step + 1)
    const rate = learningRate(training, progress.step)
    sgd.step(outcome.gradients, rate)
    lossWeights.update(outcome.losses, rate)
  } finally {
    options.tf.dispose(outcome.gradients)
  }
  training.progress = {
    ...progress,
    step: progress.step + 1,
    lossSum: progress.lossSum + loss,
    right: outcome.right.map((count, exit) => count + (progress.right[exit] ?? 0)),
    lossWeights: [...lossWeights.state],
  }
}

async function endEpoch(training: Training, seconds: () => number): Promise<void> {
  const { options, network, input, stepsPerEpoch, progress } = training
  const { config, testDataset: dataset, tf } = options
  const { batch } = config
  const checkpoint = () => pause(training, seconds)
  const testAccuracies = dataset && (await judgeExits(tf, network, { dataset, batch, input, checkpoint }))
  const { epoch, lossSum, right, lossWeights } = progress
  const metrics: EpochMetrics = {
    epoch: epoch + 1,
    loss: lossSum / stepsPerEpoch,
    trainAccuracies: right.map((count) => count / (stepsPerEpoch * batch)),
    testAccuracies,
    learningRate: learningRate(training, stepsPerEpoch - 1),
    seconds: seconds(),
  }
  training.progress = {
    ...noProgress,
    epoch: epoch + 1,
    lossWeights,
    metrics: [...progress.metrics, metrics] as TrainProgress['metrics'],
  }
  await options.onEpoch?.(training.progress.metrics, listExits(network.heads))
}

function learningRate({ options, stepsPerEpoch, progress }: Training, step: number): number {
  const { learningRate: peak, warmUpEpochs } = options.config.optimiser
  return learningRateAt(progress.epoch * stepsPerEpoch + step, {
    peak,
    warmUpSteps: warmUpEpochs * stepsPerEpoch,
    totalSteps: options.config.epochs * stepsPerEpoch,
  })
}

/** Lets signals and timers in between two batches, and keeps a checkpoint when it is time or the work is to end. */
async function pause(training: Training, seconds: () => number): Promise<void> {
  const { signal, config } = training.options
  await setImmediate()
  const isDue = performance.now() - training.savedMs >= config.checkpointMinutes * 60_000
  if (!isDue && signal?.aborted !== true) return
  training.progress = { ...training.progress, seconds: seconds() }
  await save(training)
  signal?.throwIfAborted()
}

async function save(training: Training): Promise<void> {
  const { options, variables, progress } = training
  const values = await readVariables(variables)
  for (const [name, value] of values) {
    if (value.every(Number.isFinite)) continue
    throw new TrainingDivergedError(`'${name}'`, progress.epoch, progress.step)
  }
  const { config, dataset } = options
  await options.saveCheckpoint(encodeCheckpoint({ config, samples: dataset.size, progress, values }))
  training.savedMs = performance.now()
}
