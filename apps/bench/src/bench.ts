import { inputBatches, type WorkOptions } from '@sluice/app-train'
import {
  createGatedModel,
  createThresholdPolicy,
  type ExitPolicy,
  type GatedModelParts,
  InvalidArgumentError,
  type StagedModel,
  type Tensor,
} from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
import { countExits, type ExitCount } from './count-exits.ts'
import { fitWork } from './fit-work.ts'
import type { FusedNetworks } from './fused-networks.ts'
import { medianRatio, summarise, type Timing, timeInTurns } from './paired-timing.ts'
import type { PlainNetwork, PlainNetworks } from './plain-networks.ts'
import { warmUp } from './warm-up.ts'

export interface BenchOptions extends WorkOptions {
  readonly model: StagedModel
  readonly policy: ExitPolicy
  /** The same bundle without gates, on the model's engine with as many threads. */
  readonly plain: PlainNetworks
  readonly dataset: Dataset
  readonly batchSizes: readonly number[]
  /** The whole gated network in one session, benched too, and beside it the stages one by one; left out when absent. */
  readonly fused?: FusedNetworks | undefined
  /** Another gated network that takes the same batches, benched in the same rounds; left out when absent. */
  readonly rival?: Pick<BenchOptions, 'model' | 'policy'> | undefined
  /** Rows that every contender runs in a round. */
  readonly rows: number
  readonly rounds: number
  /** About the longest that the timing of a batch size takes: on a slow backend rows and rounds get fewer. No limit when absent. */
  readonly limitMs?: number | undefined
}

/** The command's contract: milliseconds per batch, fractions of 1. */
export interface BatchBench extends GatedTimes {
  readonly size: number
  readonly full: Timing
  /**
   * The full network, rewritten as the stages are while they load (`PlainNetworks.loadHinted`): what it takes less than
   * `full`, the gated network owes to its engine's layout, not to its gates. Absent where there is nothing to rewrite.
   */
  readonly fullHinted?: Timing
  readonly macsSaved: number
  readonly idealTimeSaved: number
  /**
   * Stage by stage, each gate decided by the policy, where the network in one file was asked for; absent where `gated` runs
   * so itself, since its backend cannot decide gates (`StagedModel.joinGates`) or its policy is none of expressions.
   */
  readonly staged?: GatedTimes
  /** The network in one file, where that was asked for. */
  readonly fused?: GatedTimes
  /** The other gated network, where one was named. */
  readonly against?: AgainstBench
}

/** Another gated network, timed in the same rounds. */
export interface AgainstBench {
  readonly gated: Timing
  readonly timeSaved: number
  readonly macsSaved: number
  /** Time of the benched network over this one's: below 1 where the benched one is faster. */
  readonly ratio: number
}

/** A gated network's milliseconds per batch, and fractions of the full network's time. */
export interface GatedTimes {
  readonly gated: Timing
  readonly noExit: Timing
  readonly timeSaved: number
  readonly overhead: number
}

/** What runs the same batches in turns; its answers are not looked at. */
type Contender = Pick<PlainNetwork<unknown>, 'run'>

/** The plain networks, loaded once for all batch sizes. */
interface Plain {
  /** The backbone truncated behind each stage; the last one is the whole network. */
  readonly truncated: readonly Contender[]
  readonly hinted: Contender | null
}

/** A gated network, and the same with gates that never fire. */
interface GatedContenders {
  readonly gated: Contender
  readonly noExit: Contender
}

interface Contenders extends Plain, GatedContenders {
  readonly staged: GatedContenders | undefined
  readonly fused: GatedContenders | undefined
  readonly rival: Contender | undefined
}

/** Milliseconds that a contender took per batch, in round order. */
type TimesOf = (contender: Contender | undefined) => readonly number[]

/** Times gated, plain and never-exiting runs of the same rows, in turns, in one process. */
export async function bench(options: BenchOptions): Promise<{ readonly batch: BatchBench[] }> {
  const { plain, batchSizes, onProgress } = options
  const truncated = await plain.loadTruncated()
  const loaded = [...truncated]
  try {
    const hinted = (await plain.loadHinted?.()) ?? null
    if (hinted !== null) loaded.push(hinted)
    const results: BatchBench[] = []
    for (const size of batchSizes) {
      results.push(await benchBatchSize(options, { truncated, hinted }, size))
      onProgress?.({ phase: 'bench', done: results.length, total: batchSizes.length, unit: 'batch sizes' })
    }
    return { batch: results }
  } finally {
    for (const network of loaded) await network.release()
  }
}

async function benchBatchSize(options: BenchOptions, plain: Plain, size: number): Promise<BatchBench> {
  const { model, policy, dataset, fused, rival, rows, signal } = options
  const allBatches = await readBatches(model, dataset, size, rows)
  const prepare = async (parts: GatedModelParts): Promise<Contender> => {
    const network = createGatedModel(parts)
    for (const batch of allBatches.slice(0, 1)) await warmUp(network, batch, signal)
    return { run: (batch) => network.predict(batch, { signal }) }
  }
  const prepareBoth = async (exitPolicy: ExitPolicy): Promise<GatedContenders> => ({
    gated: await prepare({ model, policy: exitPolicy }),
    noExit: await prepare({ model, policy: keepEveryone(exitPolicy) }),
  })
  const isJoined = model.joinGates !== undefined && policy.expression !== undefined
  const staged = fused && isJoined ? await prepareBoth({ ...policy, expression: undefined }) : undefined
  const contenders = {
    ...plain,
    ...(await prepareBoth(policy)),
    staged,
    fused,
    rival: rival && (await prepare(rival)),
  }
  const { timesOf, batches } = await timeContenders(contenders, allBatches, options)
  const times = summariseTimes(contenders, timesOf, await countExits(model, policy, batches))
  if (rival === undefined) return { size, ...times }
  const { macsSaved } = await countExits(rival.model, rival.policy, batches)
  return { size, ...times, against: { ...compareWithRival(contenders, timesOf), macsSaved } }
}

/** @returns the times, and the batches that were run: all or, with a limit, the first ones */
async function timeContenders(
  { gated, noExit, truncated, hinted, staged, fused, rival }: Contenders,
  allBatches: readonly Tensor<'float32'>[],
  { rounds, limitMs, signal }: BenchOptions,
): Promise<{ readonly timesOf: TimesOf; readonly batches: readonly Tensor<'float32'>[] }> {
  const others = [staged, fused].flatMap((network) => (network === undefined ? [] : [network.gated, network.noExit]))
  const contenders = [gated, noExit, ...truncated, ...(hinted ? [hinted] : []), ...others, ...(rival ? [rival] : [])]
  const runsOn = (batches: readonly Tensor<'float32'>[]) =>
    contenders.map((contender) => async () => {
      for (const batch of batches) await contender.run(batch)
    })
  const asked = { batches: allBatches.length, rounds }
  const work = limitMs === undefined ? asked : fitWork(asked, await timeOnce(runsOn(allBatches.slice(0, 1))), limitMs)
  const batches = allBatches.slice(0, work.batches)
  const times = await timeInTurns(runsOn(batches), work.rounds, { signal })
  const timesOf: TimesOf = (contender) =>
    times.find((_, index) => contenders[index] === contender)?.map((ms) => ms / batches.length) ?? []
  return { timesOf, batches }
}

/** The gates run as the policy has them run, one by one or by the backend itself, but let nobody go. */
function keepEveryone({ expression }: ExitPolicy): ExitPolicy {
  const gates = expression?.gates.map((gate) => gate && { ...gate, threshold: Number.POSITIVE_INFINITY }) ?? []
  return { ...createThresholdPolicy('never', []), expression: expression && { ...expression, gates } }
}

/** What a gated network and the same without exits take, and save against the full one. */
function compareWithFull(gated: readonly number[], noExit: readonly number[], full: readonly number[]): GatedTimes {
  return {
    gated: summarise(gated),
    noExit: summarise(noExit),
    timeSaved: 1 - medianRatio(gated, full),
    overhead: medianRatio(noExit, full) - 1,
  }
}

function compareWithRival({ gated, truncated, rival }: Contenders, timesOf: TimesOf): Omit<AgainstBench, 'macsSaved'> {
  const times = timesOf(rival)
  return {
    gated: summarise(times),
    timeSaved: 1 - medianRatio(times, timesOf(truncated.at(-1))),
    ratio: medianRatio(timesOf(gated), times),
  }
}

async function timeOnce(runs: readonly (() => Promise<unknown>)[]): Promise<number> {
  const startMs = performance.now()
  for (const run of runs) await run()
  return performance.now() - startMs
}

function summariseTimes(
  { gated, noExit, truncated, hinted, staged, fused }: Contenders,
  timesOf: TimesOf,
  { shares, macsSaved }: ExitCount,
): Omit<BatchBench, 'size'> {
  const full = timesOf(truncated.at(-1))
  const compare = (network: GatedContenders) => compareWithFull(timesOf(network.gated), timesOf(network.noExit), full)
  const { overhead, ...saved } = compare({ gated, noExit })
  const idealShare = shares.reduce((sum, share, s) => sum + share * medianRatio(timesOf(truncated[s]), full), 0)
  return {
    full: summarise(full),
    ...(hinted && { fullHinted: summarise(timesOf(hinted)) }),
    ...saved,
    macsSaved,
    idealTimeSaved: 1 - idealShare,
    overhead,
    ...(staged && { staged: compare(staged) }),
    ...(fused && { fused: compare(fused) }),
  }
}

/**
 * Whole batches of the first rows; fewer than asked for where the dataset is smaller, at least one.
 * @throws InvalidArgumentError when the dataset does not fill one batch
 */
async function readBatches(
  model: StagedModel,
  dataset: Dataset,
  size: number,
  rows: number,
): Promise<Tensor<'float32'>[]> {
  if (dataset.size < size) {
    throw new InvalidArgumentError(
      `${dataset.name} has ${dataset.size} samples, too few for a batch of ${size}; pass more data or smaller sizes (--batch).`,
    )
  }
  const limit = Math.max(size, Math.floor(Math.min(rows, dataset.size) / size) * size)
  const batches: Tensor<'float32'>[] = []
  for await (const { images } of inputBatches(select(dataset, { limit }), model.network.input, size)) {
    batches.push(images)
  }
  return batches
}
