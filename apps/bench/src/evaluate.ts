import type { WorkOptions } from '@sluice/app-train'
import { inputBatches } from '@sluice/app-train'
import {
  argmaxRows,
  checkFinite,
  createFlopCounter,
  createGatedModel,
  type ExitPolicy,
  type StagedModel,
} from '@sluice/core'
import type { Dataset } from '@sluice/datasets'
import { DatasetError } from '@sluice/datasets'
import type { PlainNetwork } from './plain-networks.ts'

/** What is compared: the gated network and, side by side, the plain one. The caller owns both. */
export interface EvaluateOptions extends WorkOptions {
  readonly model: StagedModel
  readonly policy: ExitPolicy
  readonly full: PlainNetwork
  readonly dataset: Dataset
  readonly batchSize: number
}

/** Rows that left at one exit; `accuracy` is null where none did. */
export interface ExitSummary {
  readonly stage: number
  readonly share: number
  readonly accuracy: number | null
}

/** The command's contract: `drop` in points, shares as fractions of 1. */
export interface Evaluation {
  readonly samples: number
  readonly accuracy: number
  readonly fullAccuracy: number
  readonly drop: number
  readonly agreement: number
  readonly macsPerSample: number
  readonly fullMacs: number
  readonly macsSaved: number
  readonly exits: readonly ExitSummary[]
  readonly milliseconds: { readonly gated: number; readonly full: number }
  readonly timeSaved: number
}

interface Tally {
  rows: number
  right: number
  fullRight: number
  agreeing: number
  macs: number
  readonly exits: { rows: number; right: number }[]
  readonly milliseconds: { gated: number; full: number }
}

/**
 * Runs every batch through the gated and the plain network, in turns, and compares answers, MACs and time.
 * @throws DatasetError when the data have no labels, NonFiniteValueError when either network answers NaN or infinity
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { model, dataset } = options
  const stageCount = model.network.stages.length
  const exits = Array.from({ length: stageCount }, () => ({ rows: 0, right: 0 }))
  const tally: Tally = {
    rows: 0,
    right: 0,
    fullRight: 0,
    agreeing: 0,
    macs: 0,
    exits,
    milliseconds: { gated: 0, full: 0 },
  }
  const gated = createGatedModel(options)
  for await (const { images, labels } of inputBatches(dataset, model.network.input, options.batchSize)) {
    options.signal?.throwIfAborted()
    if (labels === null) throw new DatasetError(`${dataset.name} has no labels; evaluate needs them to judge answers.`)
    const runGated = () => gated.predict(images, { signal: options.signal })
    const runFull = () => options.full.run(images)
    if (tally.rows === 0) {
      // The engine plans its memory in the first run, which is not what is compared.
      await runGated()
      await runFull()
    }
    const prediction = await timed(runGated, (ms) => (tally.milliseconds.gated += ms))
    const full = await timed(runFull, (ms) => (tally.milliseconds.full += ms))
    checkFinite("The full network's answer", full.data, full.classCount)
    count(tally, prediction, argmaxRows(full), labels)
    options.onProgress?.({ phase: 'evaluate', done: tally.rows, total: dataset.size, unit: 'images' })
  }
  return summariseTally(tally, model)
}

interface CountedPredictions {
  readonly classes: Int32Array
  readonly exits: Uint32Array
  readonly macs: Float64Array
}

function count(tally: Tally, { classes, exits, macs }: CountedPredictions, full: Int32Array, labels: Int32Array): void {
  for (let row = 0; row < labels.length; row++) {
    const right = classes[row] === labels[row] ? 1 : 0
    const exit = tally.exits[exits[row] ?? 0]
    if (exit !== undefined) {
      exit.rows++
      exit.right += right
    }
    tally.rows++
    tally.right += right
    tally.fullRight += full[row] === labels[row] ? 1 : 0
    tally.agreeing += full[row] === classes[row] ? 1 : 0
    tally.macs += macs[row] ?? 0
  }
}

function summariseTally({ rows, macs, milliseconds, ...tally }: Tally, model: StagedModel): Evaluation {
  const counter = createFlopCounter(model.network)
  const fullMacs = model.network.stages.reduce((sum, _, stage) => sum + counter.countStage(stage).backbone, 0)
  const accuracy = tally.right / rows
  const fullAccuracy = tally.fullRight / rows
  return {
    samples: rows,
    accuracy,
    fullAccuracy,
    drop: 100 * (fullAccuracy - accuracy),
    agreement: tally.agreeing / rows,
    macsPerSample: macs / rows,
    fullMacs,
    macsSaved: 1 - macs / rows / fullMacs,
    exits: tally.exits.map((exit, stage) => ({
      stage,
      share: exit.rows / rows,
      accuracy: exit.rows === 0 ? null : exit.right / exit.rows,
    })),
    milliseconds,
    timeSaved: 1 - milliseconds.gated / milliseconds.full,
  }
}

async function timed<T>(work: () => Promise<T>, add: (ms: number) => void): Promise<T> {
  const startMs = performance.now()
  const result = await work()
  add(performance.now() - startMs)
  return result
}
