import { setImmediate } from 'node:timers/promises'
import type { Tfjs } from '@sluice/adapter-tfjs'
import type { Dataset, Preprocessing } from '@sluice/datasets'
import { planNetwork } from '../networks/network-config.ts'
import type { NetworkPlan } from '../networks/network-plan.ts'
import type { ParameterValues } from '../networks/parameter-values.ts'
import type { WorkOptions } from '../progress.ts'
import { type Checkpoint, encodeCheckpoint, type TrainProgress } from './checkpoint.ts'
import { TrainingDivergedError } from './errors.ts'
import { importInitialValues } from './import-initial-values.ts'
import { checkLaterGates } from './later-gates.ts'
import { createLossWeights, type LossWeights } from './loss-weights.ts'
import { createMultiExitNetwork, type MultiExitNetwork } from './multi-exit-network.ts'
import { type NamedVariable, readVariables, writeVariables } from './named-variables.ts'
import { checkSamples, describePreprocessing } from './preprocessing.ts'
import { createSgd, type Sgd } from './sgd.ts'
import type { TrainConfig } from './train-config.ts'
import type { EpochMetrics } from './train-metrics.ts'
import { countSteps } from './training-batches.ts'

/** What is trained, on what, and who is told. */
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

/** A training at work. */
export interface Training {
  readonly options: TrainNetworkOptions
  readonly plan: NetworkPlan
  /** How images enter: layout NHWC. */
  readonly input: Preprocessing
  readonly network: MultiExitNetwork
  readonly sgd: Sgd
  readonly lossWeights: LossWeights
  readonly stepsPerEpoch: number
  /** Everything that a checkpoint holds. */
  readonly variables: readonly NamedVariable[]
  /** After the last whole step. */
  progress: TrainProgress
  /** When the last checkpoint was kept, or the training began, by `performance.now()`. */
  savedMs: number
  /** Whether there is a checkpoint to go on from. */
  hasCheckpoint: boolean
}

/** Before the first step. */
export const noProgress: TrainProgress = {
  epoch: 0,
  step: 0,
  lossSum: 0,
  right: [],
  seconds: 0,
  metrics: [],
  lossWeights: [],
}

/** Prepares a training; the caller sets its variables and disposes network and optimiser. @throws InvalidArgumentError */
export function createTraining(options: TrainNetworkOptions): Training {
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
  const saved = { savedMs: performance.now(), hasCheckpoint: checkpoint !== null }
  return { options, plan, input, network, sgd, lossWeights, stepsPerEpoch, variables, progress, ...saved }
}

/** Sets all variables to what the checkpoint or the initial values say, if there are any. */
export async function setVariables({ options, network, variables, input }: Training): Promise<void> {
  const { tf, config, dataset, checkpoint, initialValues } = options
  if (checkpoint !== null) writeVariables(tf, variables, checkpoint.values)
  else if (initialValues !== null) {
    await importInitialValues(tf, network.backbone, initialValues, { dataset, input, seed: config.seed })
  }
}

/** Lets signals and timers in between two batches, and keeps a checkpoint when it is time or the work is to end. */
export async function pause(training: Training, seconds: () => number): Promise<void> {
  const { signal, config } = training.options
  await setImmediate()
  const isDue = performance.now() - training.savedMs >= config.checkpointMinutes * 60_000
  if (!isDue && signal?.aborted !== true) return
  training.progress = { ...training.progress, seconds: seconds() }
  await saveTraining(training)
  signal?.throwIfAborted()
}

/** Keeps a checkpoint. @throws TrainingDivergedError for values that are not finite, before the last one is lost */
export async function saveTraining(training: Training): Promise<void> {
  const { options, variables, progress, hasCheckpoint } = training
  const values = await readVariables(variables)
  for (const [name, value] of values) {
    if (value.every(Number.isFinite)) continue
    throw new TrainingDivergedError(`'${name}'`, { ...progress, hasCheckpoint })
  }
  const { config, dataset } = options
  await options.saveCheckpoint(encodeCheckpoint({ config, samples: dataset.size, progress, values }))
  training.savedMs = performance.now()
  training.hasCheckpoint = true
}
