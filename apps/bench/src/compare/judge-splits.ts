import { setImmediate } from 'node:timers/promises'
import { countMacsCost, type WorkOptions } from '@sluice/app-train'
import { type ScoreCache, selectCachedSamples } from '@sluice/calibration'
import type { BundleManifest, PolicyFamily } from '@sluice/core'
import { createRandom, permute } from '@sluice/datasets'
import { type ComparisonTargets, type JudgedSplit, judgeSplit } from './judge-split.ts'

/** Samples of the halves of a split, ascending. */
export interface Halves {
  readonly tuning: Uint32Array
  readonly judged: Uint32Array
}

/** A random split; the half that is judged is smaller by one where the number of samples is odd. */
export function drawHalves(samples: number, seed: number, split: number): Halves {
  const order = permute(samples, createRandom(seed, split).below(2 ** 32))
  const half = Math.ceil(samples / 2)
  return { tuning: order.slice(0, half).sort(), judged: order.slice(half).sort() }
}

/** How a family fared on each split. */
export interface FamilySplits {
  readonly family: PolicyFamily
  readonly splits: readonly JudgedSplit[]
}

export interface JudgeSplitsOptions extends WorkOptions {
  readonly manifest: BundleManifest
  /** Scores of all gates on all samples, with labels. */
  readonly cache: ScoreCache
  readonly families: readonly PolicyFamily[]
}

/** Tunes every family on one half of each split and judges it on the other. */
export async function judgeSplits(
  { cache, manifest, families, signal, onProgress }: JudgeSplitsOptions,
  halves: readonly Halves[],
  targets: ComparisonTargets,
): Promise<FamilySplits[]> {
  const cost = countMacsCost(manifest)
  const results = families.map((family) => ({ family, splits: [] as JudgedSplit[] }))
  const total = halves.length * families.length
  let done = 0
  for (const rows of halves) {
    const split = { tuning: selectCachedSamples(cache, rows.tuning), judged: selectCachedSamples(cache, rows.judged) }
    for (const { family, splits } of results) {
      // The work is all arithmetic: without a pause no signal would get through.
      await setImmediate()
      signal?.throwIfAborted()
      splits.push(judgeSplit(split, { family, cost }, targets))
      onProgress?.({ phase: 'policies', done: ++done, total, unit: 'tunings' })
    }
  }
  return results
}
