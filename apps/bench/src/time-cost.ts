import type { ExitCost } from '@sluice/calibration'
import { disposeRows, type StagedModel, type Tensor } from '@sluice/core'
import { clamp } from './fit-work.ts'
import { summarise, timeInTurns } from './paired-timing.ts'
import type { PlainNetworks } from './plain-networks.ts'

const rounds = 9

/**
 * A small batch is run again and again in its turn, up to so many rows or milliseconds: run once, after other networks, it
 * finds its weights gone from the caches and takes up to three times as long.
 */
const rowsPerTurn = 256
const turnLimitMs = 100

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
  const createLists = () => model.network.stages.map((): number[] => [])
  const [perStage, perBackbone] = [createLists(), createLists()]
  const backbones = await plain.loadTruncated()
  try {
    const stagesMs = await timeSecondRun(() => timeStages(model, images, createLists()))
    const runs = countRunsPerTurn(rows, stagesMs)
    const contenders = [
      () => timeStages(model, images, perStage),
      ...backbones.map((backbone, stage) => () => timeRun(() => backbone.run(images), perBackbone[stage])),
    ].map((run) => async () => {
      for (let i = 0; i < runs; i++) await run()
    })
    await timeInTurns(contenders, rounds, { signal })
    const findMedians = (lists: readonly number[][]) => lists.map((times) => summarise(times).median / rows)
    const [staged, truncated] = [findMedians(perStage), findMedians(perBackbone)]
    const backbone = truncated.map((ms, stage) => Math.max(0, ms - (truncated[stage - 1] ?? 0)))
    return { backbone, head: backbone.slice(0, -1).map((ms, stage) => Math.max(0, (staged[stage] ?? 0) - ms)) }
  } finally {
    for (const backbone of backbones) await backbone.release()
  }
}

/** How often a batch of so many rows, which takes about so long, is run in its turn. */
export function countRunsPerTurn(rows: number, ms: number): number {
  return clamp(turnLimitMs / ms, Math.ceil(rowsPerTurn / rows))
}

/** Milliseconds of a run that is not the first one. */
async function timeSecondRun(run: () => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 2; i++) await timeRun(run, times)
  return times[1] ?? 0
}

/** Appends the milliseconds of a run to a list. */
async function timeRun(run: () => Promise<unknown>, times: number[] = []): Promise<void> {
  const startMs = performance.now()
  await run()
  times.push(performance.now() - startMs)
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
