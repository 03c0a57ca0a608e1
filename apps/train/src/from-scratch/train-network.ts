import type { HeadWeights } from '@sluice/onnx-graph'
import type { NetworkPlan } from '../networks/network-plan.ts'
import type { TrainProgress } from './checkpoint.ts'
import { TrainingDivergedError } from './errors.ts'
import { judgeExits } from './judge-exits.ts'
import { learningRateAt } from './learning-rate.ts'
import { readVariables } from './named-variables.ts'
import type { EpochMetrics } from './train-metrics.ts'
import { computeGradients } from './train-step.ts'
import {
  createTraining,
  noProgress,
  pause,
  saveTraining,
  setVariables,
  type Training,
  type TrainNetworkOptions,
} from './training.ts'
import { trainingBatches } from './training-batches.ts'

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
 * A checkpoint is kept every `config.checkpointMinutes`, after every epoch, and when the signal aborts.
 *
 * @throws InvalidArgumentError when config and data do not fit together
 * @throws TrainingDivergedError when the loss or a parameter is no longer finite
 * @throws the signal's reason when aborted, after a checkpoint
 */
export async function trainNetwork(options: TrainNetworkOptions): Promise<TrainedNetwork> {
  const training = createTraining(options)
  try {
    await setVariables(training)
    await runTraining(training)
    const { network, plan, progress } = training
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
  const { options, plan, network, sgd, lossWeights, progress, hasCheckpoint } = training
  const { weights } = lossWeights
  const { labelSmoothing } = options.config.optimiser
  const { input, classes } = plan
  const outcome = await computeGradients(options.tf, network, samples, { input, classes, labelSmoothing, weights })
  const loss = outcome.losses.reduce((sum, value, exit) => sum + value * (weights[exit] ?? 0), 0)
  try {
    if (!Number.isFinite(loss)) {
      throw new TrainingDivergedError('The loss', { ...progress, step: progress.step + 1, hasCheckpoint })
    }
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
  await saveTraining(training)
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
