import { inputBatches, type WorkOptions } from '@sluice/app-train'
import {
  createGatedModel,
  createThresholdPolicy,
  type ExitPolicy,
  InvalidArgumentError,
  type StagedModel,
  type Tensor,
} from '@sluice/core'
import { type Dataset, select } from '@sluice/datasets'
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
  /** The whole gated network in one session, benched too; left out when absent. */
  readonly fused?: FusedNetworks | undefined
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
  readonly macsSaved: number
  readonly idealTimeSaved: number
  /** The network in one file, where that was asked for. */
  readonly fused?: GatedTimes
}

/** A gated network's milliseconds per batch, and fractions of the full network's time. */
export interface GatedTimes {
  readonly gated: Timing
  readonly noExit: Timing
  readonly timeSaved: number
  readonly overhead: number
}

/** Times gated, plain and never-exiting runs of the same rows, in turns, in one process. */
export async function bench(options: BenchOptions): Promise<{ readonly batch: BatchBench[] }> {
  const backbones = await options.plain.loadTruncated()
  try {
    const results: BatchBench[] = []
    for (const size of options.batchSizes) {
      results.push(await benchBatchSize(options, backbones, size))
      options.onProgress?.({
        phase: 'bench',
        done: results.length,
        total: options.batchSizes.length,
        unit: 'batch sizes',
      })
    }
    return { batch: results }
  } finally {
    for (const backbone of backbones) await backbone.release()
  }
}

async function benchBatchSize(
  { model, policy, dataset, fused, rows, rounds, limitMs, signal }: BenchOptions,
  backbones: readonly PlainNetwork<unknown>[],
  size: number,
): Promise<BatchBench> {
  const allBatches = await readBatches(model, dataset, size, rows)
  const gated = createGatedModel({ model, policy })
  const noExit = createGatedModel({ model, policy: keepEveryone(policy) })
  const inOneFile = fused === undefined ? [] : [fused.gated, fused.noExit]
  const plain = [...backbones, ...inOneFile]
  const runs = [
    (batch: Tensor<'float32'>) => gated.predict(batch, { signal }),
    (batch: Tensor<'float32'>) => noExit.predict(batch, { signal }),
    ...plain.map((network) => (batch: Tensor<'float32'>) => network.run(batch)),
  ]
  const runsOn = (batches: readonly Tensor<'float32'>[]) =>
    runs.map((run) => async () => {
      for (const batch of batches) await run(batch)
    })
  const oneBatch = allBatches.slice(0, 1)
  for (const batch of oneBatch) for (const network of [gated, noExit]) await warmUp(network, batch, signal)
  const asked = { batches: allBatches.length, rounds }
  const work = limitMs === undefined ? asked : fitWork(asked, await timeOnce(runsOn(oneBatch)), limitMs)
  const batches = allBatches.slice(0, work.batches)
  const exits = await countExits(model, policy, batches)
  const times = await timeInTurns(runsOn(batches), work.rounds, { signal })
  const staged = summariseTimes(times.slice(0, times.length - inOneFile.length), exits, size, batches.length)
  if (fused === undefined) return staged
  const [fusedGated = [], fusedNoExit = []] = times.slice(-inOneFile.length)
  const full = times[backbones.length + 1] ?? []
  return { ...staged, fused: compareWithFull(fusedGated, fusedNoExit, full, batches.length) }
}

/** The gates run as the policy has them run, one by one or by the backend itself, but let nobody go. */
function keepEveryone({ gates }: ExitPolicy): ExitPolicy {
  const idle = gates?.map((gate) => ({ ...gate, threshold: Number.POSITIVE_INFINITY }))
  return { ...createThresholdPolicy('never', []), gates: idle }
}

/** Milliseconds per batch of a gated network and of the same without exits, and what they save against the full one. */
function compareWithFull(
  gated: readonly number[],
  noExit: readonly number[],
  full: readonly number[],
  batchCount: number,
): GatedTimes {
  return {
    gated: summarisePerBatch(gated, batchCount),
    noExit: summarisePerBatch(noExit, batchCount),
    timeSaved: 1 - medianRatio(gated, full),
    overhead: medianRatio(noExit, full) - 1,
  }
}

function summarisePerBatch(times: readonly number[], batchCount: number): Timing {
  return summarise(times.map((ms) => ms / batchCount))
}

async function timeOnce(runs: readonly (() => Promise<unknown>)[]): Promise<number> {
  const startMs = performance.now()
  for (const run of runs) await run()
  return performance.now() - startMs
}

/** @param times of the gated network, the never-exiting one, then the backbone truncated behind each stage */
function summariseTimes(times: readonly number[][], exits: ExitCount, size: number, batchCount: number): BatchBench {
  const [gated = [], noExit = [], ...truncated] = times
  const full = truncated.at(-1) ?? []
  const idealShare = exits.shares.reduce((sum, share, s) => sum + share * medianRatio(truncated[s] ?? [], full), 0)
  const {
    gated: gatedTimes,
    noExit: noExitTimes,
    timeSaved,
    overhead,
  } = compareWithFull(gated, noExit, full, batchCount)
  return {
    size,
    full: summarisePerBatch(full, batchCount),
    gated: gatedTimes,
    noExit: noExitTimes,
    timeSaved,
    macsSaved: exits.macsSaved,
    idealTimeSaved: 1 - idealShare,
    overhead,
  }
}

interface ExitCount {
  /** Share of the rows that left at each stage. */
  readonly shares: readonly number[]
  readonly macsSaved: number
}

async function countExits(
  model: StagedModel,
  policy: ExitPolicy,
  batches: readonly Tensor<'float32'>[],
): Promise<ExitCount> {
  const gated = createGatedModel({ model, policy })
  const { stages } = model.network
  const leaving = stages.map(() => 0)
  let rows = 0
  let macs = 0
  for (const batch of batches) {
    for await (const group of gated.run(batch)) {
      leaving[group.stage] = (leaving[group.stage] ?? 0) + group.rows.length
      rows += group.rows.length
      macs += group.rows.length * group.macsPerRow
    }
  }
  const fullMacs = stages.reduce((sum, stage) => sum + stage.macs.backbone, 0)
  return { shares: leaving.map((count) => count / rows), macsSaved: 1 - macs / (rows * fullMacs) }
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
