import type { ExitCost } from '@sluice/calibration'
import { disposeRows, type StagedModel, type Tensor } from '@sluice/core'
import { summarise, timeInTurns } from './paired-timing.ts'
import type { PlainNetworks } from './plain-networks.ts'

const rounds = 9

/**
 * A small batch is run again and again in its turn, up to so many rows or milliseconds: run once, after other networks, it
 * finds its weights gone from the caches and takes up to three times as long.
 */
const [rowsPerTurn, limitMs] = [256, 100]

/** What is timed. */
export interface TimeCostOptions {
  readonly model: StagedModel
  /** The same bundle without gates, on the model's engine with as many threads. */
  readonly plain: PlainNetworks
  /** One batch; times depend on its size. */
  readonly images: Tensor<'float32'>
  readonly signal?: AbortSignal
}

/**
 * What stages and gates cost on this machine, in milliseconds per row of this batch. `backbone` is what the plain network
 * takes from cut to cut, timed on truncated networks; `head` is what the gate adds: head, call and hand-over, the
 * stage's own time less the backbone's, at least 0. Truncated staged networks on a GPU also hand out the activation at
 * their cut, which the stages do not: there a head comes out cheaper than it is by up to the time of that transfer.
 */
export async function measureTimeCost(options: TimeCostOptions): Promise<ExitCost> {
  const { model, plain, images, signal } = options
  const rows = images.dims[0] ?? 1
  const perStage = model.network.stages.map((): number[] => [])
  const backbones = await plain.loadTruncated()
  try {
    const runStages = () => timeStages(model, images, perStage)
    const fitting = Math.floor(limitMs / (await timeSecondRun(runStages)))
    const runs = Math.max(1, Math.min(Math.ceil(rowsPerTurn / rows), fitting))
    const contenders = [runStages, ...backbones.map((backbone) => () => backbone.run(images))].map(
      (run) => async () => {
        for (let i = 0; i < runs; i++) await run()
      },
    )
    const [, ...truncated] = (await timeInTurns(contenders, rounds, { signal })).map(
      (times) => summarise(times).median / (runs * rows),
    )
    const backbone = truncated.map((ms, stage) => Math.max(0, ms - (truncated[stage - 1] ?? 0)))
    const staged = perStage.map((times) => summarise(times).median / rows)
    return { backbone, head: backbone.slice(0, -1).map((ms, stage) => Math.max(0, (staged[stage] ?? 0) - ms)) }
  } finally {
    for (const backbone of backbones) await backbone.release()
  }
}

/** Milliseconds of a run that is not the first one. */
async function timeSecondRun(run: () => Promise<void>): Promise<number> {
  await run()
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

/** Runs one batch through all stages and appends each stage's milliseconds to its list. */
async function timeStages(model: StagedModel, images: Tensor<'float32'>, perStage: readonly number[][]): Promise<void> {
  let activation = await model.upload(images)
  try {
    for (const [stage, times] of perStage.entries()) {
      const startMs = performance.now()
      const result = await model.runStage(stage, activation)
      await result.scores.read()
      times.push(performance.now() - startMs)
      disposeRows(result)
      if (result.activation === null) break
      activation.dispose()
      activation = result.activation
    }
  } finally {
    activation.dispose()
  }
}
