import { argmaxRows, type InputDescription, InvalidArgumentError } from '@sluice/core'
import { addAugmentedCopies, type Dataset, select } from '@sluice/datasets'
import { type Cut, type OnnxEngine, selectGateCuts } from '@sluice/onnx-graph'
import { collectFeatures, createFeatureCollection, type FeatureCollection, fitGateHeads } from '@sluice/training'
import { createBudgetedStorage } from '@sluice/training/node'
import { type AssembledBundle, assembleBundle, type CutHead } from './attach/assemble-bundle.ts'
import { exploreGates, type GatePlacement, placeGates } from './attach/choose-gates.ts'
import { findCutFeatures } from './attach/cut-features.ts'
import { describeInput, type InputOptions } from './attach/describe-input.ts'
import type { FrozenNetwork } from './attach/frozen-network.ts'
import { type HeadOptions, type HeadPlan, planHeads } from './attach/head-plan.ts'
import { createPlainForwardEstimate } from './attach/plain-forward.ts'
import { inputBatches } from './input-batches.ts'
import { findPolicyFamily } from './policies.ts'
import type { WorkOptions } from './progress.ts'

export interface AttachOptions extends WorkOptions {
  readonly network: FrozenNetwork
  /** Engine of the optimiser's steps; lets denormal numbers count as zero. */
  readonly fitEngine: OnnxEngine
  /** Name of the bundle, e.g. the model file's. */
  readonly name: string
  readonly dataset: Dataset
  /** Class names; those of the data when absent, and numbers where they have none. */
  readonly classes?: readonly string[]
  readonly input: InputOptions
  readonly placement: GatePlacement
  readonly heads: HeadOptions
  /** Whether gates also yield pooled features for policies that look at them; false when absent. */
  readonly features?: boolean
  /** How many shifted copies of each image heads are fitted on too; none when absent. */
  readonly copies?: number
  /** Whether copies are mirrored with probability 1/2; true when absent. */
  readonly flip?: boolean
  readonly seed: number
  /** Bytes of features held in memory; more goes to temporary files. */
  readonly memoryBudgetBytes: number
}

export interface AttachResult extends AssembledBundle {
  readonly heads: readonly CutHead[]
  /** Accuracy of the full network on the data, 0..1; null without labels. */
  readonly fullAccuracy: number | null
  readonly seconds: AttachSeconds
}

/** Where the time went; `plainForward` is what a plain session takes for the same images. */
export interface AttachSeconds {
  readonly total: number
  readonly forward: number
  readonly plainForward: number
  readonly fit: number
}

/** Rows per run of the forward pass. */
const batchSize = 64

/** Share of the data on which gates are placed. */
const explorationShare = 0.1

/** Below this, the choice is noise. */
const leastExploredRows = 2000

/** A network, its cuts and its data, checked against each other. */
interface Job {
  readonly options: AttachOptions
  readonly input: InputDescription
  readonly classes: readonly string[]
  readonly cuts: readonly Cut[]
  readonly plan: HeadPlan
  /** The images and their changed copies behind them. */
  readonly dataset: Dataset
}

/**
 * Fits heads on a frozen network and splits it at their cuts: one pass over the data, nothing written.
 * @throws InvalidArgumentError when model, data and options do not fit together
 */
export async function attachGates(options: AttachOptions): Promise<AttachResult> {
  const startMs = performance.now()
  const job = prepareJob(options)
  const { network, name, features = false } = options
  const { plan, input, classes, dataset } = job
  const plain = createPlainForwardEstimate(network, dataset, input, batchSize)
  const collection = createFeatureCollection(createBudgetedStorage(options))
  try {
    const forwardMs = { total: 0 }
    await plain.sample()
    const cuts = await collectChosen(job, collection, forwardMs)
    await plain.sample()
    const fitStartMs = performance.now()
    const heads = await fitHeads(job, cuts, collection)
    const fitMs = performance.now() - fitStartMs
    const fullAccuracy = await judgeFullNetwork(collection, options.dataset.size)
    const bundle = await assembleBundle({ network, name, input, classes, heads, features, policy: plan.policy })
    const seconds = {
      total: (performance.now() - startMs) / 1000,
      forward: forwardMs.total / 1000,
      plainForward: plain.seconds(),
      fit: fitMs / 1000,
    }
    return { ...bundle, heads, fullAccuracy, seconds }
  } finally {
    await collection.dispose()
  }
}

function prepareJob(options: AttachOptions): Job {
  const { network, dataset } = options
  const input = describeInput(network, options.input)
  const [output] = network.outputs
  const classCount = output?.shape.at(-1)
  if (output === undefined || output.shape.length !== 2 || typeof classCount !== 'number') {
    throw new InvalidArgumentError(
      `The network's output is ${output?.name} [${output?.shape.join(', ')}]; gates need class scores [batch, classes].`,
    )
  }
  const names = options.classes ?? (dataset.classes.length > 0 ? dataset.classes : null)
  const classes = names ?? Array.from({ length: classCount }, (_, index) => String(index))
  if (classes.length !== classCount) {
    throw new InvalidArgumentError(
      `The network has ${classCount} classes and ${options.classes === undefined ? dataset.name : 'the class list'} ${classes.length}; pass the data and names that the network was trained with.`,
    )
  }
  const plan = planHeads(options.heads)
  return { options, input, classes, cuts: selectCuts(network, plan), plan, dataset: addCopies(options) }
}

/** Copies are shifted by this share of an image's shorter side at most: 4 of CIFAR-10's 32 pixels, as networks are trained. */
const shiftedShare = 1 / 8

function addCopies({ dataset, copies = 0, flip = true, seed }: AttachOptions): Dataset {
  if (copies === 0) return dataset
  const pad = Math.floor(shiftedShare * Math.min(...dataset.sampleShape.slice(1)))
  return addAugmentedCopies(dataset, { copies, augmentation: { pad, flip }, seed })
}

/** The cuts that can have the planned heads. */
function selectCuts({ cuts }: FrozenNetwork, { channels }: HeadPlan): Cut[] {
  const selected = selectGateCuts(cuts)
  if (selected.length === 0)
    throw new InvalidArgumentError('The network has no cut for a gate: no tensor that all paths pass.')
  if (channels.length === 0) return selected
  const maps = selected.filter(({ shape }) => shape.length === 3)
  if (maps.length > 0) return maps
  throw new InvalidArgumentError('The network has no cut with a map for convolutions; attach heads of another kind.')
}

function countExploredRows({ size }: Dataset): number {
  return Math.min(size, Math.max(Math.ceil(explorationShare * size), leastExploredRows))
}

/**
 * One pass over the data. For placement `auto` its first part taps every candidate cut and chooses among them; the rest
 * taps the chosen ones. Adds the time of the pass itself to `forwardMs`.
 */
async function collectChosen(
  job: Job,
  collection: FeatureCollection,
  forwardMs: { total: number },
): Promise<readonly Cut[]> {
  const { options, cuts, plan, dataset } = job
  const { placement } = options
  const pass = async (chosen: readonly Cut[], rows: Dataset) => {
    const startMs = performance.now()
    await runPass(job, chosen, rows, collection)
    forwardMs.total += performance.now() - startMs
  }
  if (placement.kind !== 'auto') {
    const chosen = placeGates(cuts, placement)
    await pass(chosen, dataset)
    return chosen
  }
  const explored = countExploredRows(options.dataset)
  await pass(cuts, select(dataset, { limit: explored }))
  const family = findPolicyFamily('softmax')
  const chosen = await exploreGates({
    ...options,
    ...placement,
    engine: options.fitEngine,
    collection,
    cuts,
    plan,
    family,
  })
  await collection.keep(chosen.map(({ tensor }) => tensor))
  if (explored < dataset.size) await pass(chosen, select(dataset, { skip: explored }))
  return chosen
}

async function runPass(job: Job, cuts: readonly Cut[], rows: Dataset, collection: FeatureCollection): Promise<void> {
  const { options, input, plan, dataset } = job
  const { network, signal, onProgress } = options
  const before = collection.rows
  const { run, close } = await network.openPass(cuts.map(({ tensor }) => ({ tensor, pooling: plan.pooling })))
  try {
    await collectFeatures({
      run,
      batches: inputBatches(rows, input, batchSize),
      collection,
      signal,
      onProgress: (done) =>
        onProgress?.({ phase: 'forward pass', done: before + done, total: dataset.size, unit: 'images' }),
    })
  } finally {
    await close()
  }
}

async function fitHeads(
  { options, plan }: Job,
  cuts: readonly Cut[],
  collection: FeatureCollection,
): Promise<CutHead[]> {
  const { network, dataset, fitEngine: engine, seed, signal, onProgress } = options
  const heads = await fitGateHeads({
    ...plan,
    engine,
    gates: cuts.map((cut) => findCutFeatures(collection, cut, plan.pooling, network.format)),
    targets: collection.targets(),
    samples: dataset.size,
    seed,
    signal,
    onProgress: (gate, { done, total }) =>
      onProgress?.({ phase: `fit head ${gate + 1} of ${cuts.length}`, done, total, unit: 'steps' }),
  })
  return heads.map((fitted, gate) => ({ cut: cuts[gate] as Cut, fitted, loss: plan.loss.name }))
}

/** @param rows number of the first rows, behind which there are but copies */
async function judgeFullNetwork(collection: FeatureCollection, rows: number): Promise<number | null> {
  const { labels, networkScores } = collection.targets()
  if (labels === null) return null
  const data = await networkScores.read(0, rows)
  const answers = argmaxRows({ data, rows, classCount: networkScores.width })
  return answers.reduce((right, answer, row) => right + (answer === labels[row] ? 1 : 0), 0) / rows
}
