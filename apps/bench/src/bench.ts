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
import type { OnnxEngine, OnnxModel, OnnxSession } from '@sluice/onnx-graph'
import { loadTruncatedBackbones, runBackbone } from './full-network.ts'
import { medianRatio, summarise, type Timing, timeInTurns } from './paired-timing.ts'
import { warmUp } from './warm-up.ts'

export interface BenchOptions extends WorkOptions {
  readonly model: StagedModel
  readonly policy: ExitPolicy
  /** Engine of the plain network; give it the same threads as the model's backend. */
  readonly engine: OnnxEngine
  /** The bundle's stages, from {@link readStages}. */
  readonly stages: readonly OnnxModel[]
  readonly dataset: Dataset
  readonly batchSizes: readonly number[]
  /** The whole gated network in one session, and the same with gates that never fire; not benched when absent. */
  readonly fused?: { readonly gated: OnnxSession; readonly noExit: OnnxSession }
  /** Rows that every contender runs in a round. */
  readonly rows: number
  readonly rounds: number
}

/** The command's contract: milliseconds per batch, fractions of 1. */
export interface BatchBench {
  readonly size: number
  readonly full: Timing
  readonly gated: Timing
  readonly noExit: Timing
  readonly timeSaved: number
  readonly macsSaved: number
  readonly idealTimeSaved: number
  readonly overhead: number
  /** The one-file network, beside the staged one above; absent unless asked for. */
  readonly fused?: Pick<BatchBench, 'gated' | 'noExit' | 'timeSaved' | 'overhead'>
}

/** Times gated, plain and never-exiting runs of the same rows, in turns, in one process. */
export async function bench(options: BenchOptions): Promise<{ readonly batch: BatchBench[] }> {
  const backbones = await loadTruncatedBackbones(options.engine, options.stages)
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
    for (const session of backbones) await session.release()
  }
}

async function benchBatchSize(
  { model, policy, dataset, rows, rounds, signal, fused }: BenchOptions,
  backbones: readonly OnnxSession[],
  size: number,
): Promise<BatchBench> {
  const batches = await readBatches(model, dataset, size, rows)
  const exits = await countExits(model, policy, batches)
  const gated = createGatedModel({ model, policy })
  const noExit = createGatedModel({ model, policy: createThresholdPolicy('never', []) })
  const [first] = batches
  for (const network of [gated, noExit]) if (first) await warmUp(network, first, signal)
  const forAll = (run: (batch: Tensor<'float32'>) => Promise<unknown>) => async () => {
    for (const batch of batches) await run(batch)
  }
  const sessions = fused === undefined ? [] : [fused.gated, fused.noExit]
  const contenders = [
    ...sessions.map((session) => forAll((batch) => session.run({ [model.network.input.name]: batch }))),
    forAll((batch) => gated.predict(batch, { signal })),
    forAll((batch) => noExit.predict(batch, { signal })),
    ...backbones.map((session) => forAll((batch) => runBackbone(session, batch))),
  ]
  const times = await timeInTurns(contenders, rounds, { signal })
  const staged = summariseTimes(times.slice(sessions.length), exits, size, batches.length)
  const [fusedGated, fusedNoExit] = times
  if (fused === undefined || fusedGated === undefined || fusedNoExit === undefined) return staged
  return { ...staged, fused: compareWithFull(fusedGated, fusedNoExit, times.at(-1) ?? [], batches.length) }
}

function compareWithFull(
  gated: readonly number[],
  noExit: readonly number[],
  full: readonly number[],
  batchCount: number,
): Pick<BatchBench, 'gated' | 'noExit' | 'timeSaved' | 'overhead'> {
  const perBatch = (values: readonly number[]) => summarise(values.map((ms) => ms / batchCount))
  return {
    gated: perBatch(gated),
    noExit: perBatch(noExit),
    timeSaved: 1 - medianRatio(gated, full),
    overhead: medianRatio(noExit, full) - 1,
  }
}

/** @param times of the gated network, the never-exiting one, then the backbone truncated behind each stage */
function summariseTimes(times: readonly number[][], exits: ExitCount, size: number, batchCount: number): BatchBench {
  const [gated = [], noExit = [], ...truncated] = times
  const full = truncated.at(-1) ?? []
  const idealShare = exits.shares.reduce((sum, share, s) => sum + share * medianRatio(truncated[s] ?? [], full), 0)
  const {
    gated: gatedTiming,
    noExit: noExitTiming,
    timeSaved,
    overhead,
  } = compareWithFull(gated, noExit, full, batchCount)
  return {
    size,
    full: summarise(full.map((ms) => ms / batchCount)),
    gated: gatedTiming,
    noExit: noExitTiming,
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
