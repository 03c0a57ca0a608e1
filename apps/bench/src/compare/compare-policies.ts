import { setImmediate } from 'node:timers/promises'
import { countMacsCost, type ExitChoice, type WorkOptions } from '@sluice/app-train'
import { type ScoreCache, selectCachedSamples } from '@sluice/calibration'
import { argmaxRows, type BundleManifest, InvalidArgumentError, type PolicyFamily } from '@sluice/core'
import { createRandom, permute } from '@sluice/datasets'
import { type Estimate, estimateMedians, type SplitFigure } from './bootstrap.ts'
import { type Comparison, mapFigures, type PolicyFigures } from './comparison.ts'
import { joinCurves, joinFigures } from './join-splits.ts'
import { type ComparisonTargets, type JudgedSplit, judgeSplit } from './judge-split.ts'
import { findPolicySource } from './policy-sources.ts'

export interface CompareOptions extends WorkOptions {
  readonly manifest: BundleManifest
  /** Name of the data. */
  readonly data: string
  /** Scores of all gates on all samples, with labels. */
  readonly cache: ScoreCache
  readonly families: readonly PolicyFamily[]
  /** How many random splits of the samples in halves. */
  readonly splits: number
  readonly seed: number
}

/** A comparison, and what the clock may be asked about. */
export interface CompareResult {
  readonly comparison: Comparison
  /** Per family what the first split chose for a drop of one point. */
  readonly onePoint: readonly FamilyChoice[]
  /** Samples that the first split judges, ascending. */
  readonly judgedRows: Uint32Array
}

/** Gates and thresholds of a family. */
export interface FamilyChoice {
  readonly family: PolicyFamily
  readonly choice: ExitChoice
}

/** Points of accuracy that gates and thresholds are chosen for. */
const comparedDrops = [0, 0.5, 1, 2]

const comparedShares = [0.25, 0.5, 0.75, 1]

/** Budgets of a curve, from the smallest to all of the MACs. */
const budgetCount = 51

/** Fewer say nothing about which policy is better. */
const leastSamples = 100

const intervals = { resamples: 1000, confidence: 0.95 }

/**
 * Tunes every family on one half of the samples and judges it on the other half, over random splits, on the same heads
 * and with the same count of MACs.
 *
 * @throws InvalidArgumentError for scores without labels, fewer than 100 samples, or a bundle without gates
 */
export async function comparePolicies(options: CompareOptions): Promise<CompareResult> {
  const { cache, manifest, families, splits, seed, signal, onProgress } = options
  const labels = checkCache(cache)
  const samples = cache.final.rows
  const halves = Array.from({ length: splits }, (_, split) => drawHalves(samples, seed, split))
  const { targets, judged } = await judgeSplits(options, halves)

  const answers = argmaxRows(cache.final)
  const judgedRows = halves.map((half) => half.judged)
  const fullRight = judgedRows.map((rows) => Float32Array.from(rows, (row) => (answers[row] === labels[row] ? 1 : 0)))
  const figures = judged.map((ofFamily) => joinFigures(ofFamily, targets))
  const list: SplitFigure[] = [fullRight]
  for (const one of figures) mapFigures(one, (figure) => list.push(figure))
  const onResample = (done: number) =>
    onProgress?.({ phase: 'intervals', done, total: intervals.resamples, unit: 'resamples' })
  const estimates = await estimateMedians(list, { ...intervals, samples, judgedRows, seed, onResample, signal })
  const find = (figure: SplitFigure) => estimates[list.indexOf(figure)] as Estimate
  const comparison = {
    name: manifest.name,
    data: options.data,
    samples,
    splits,
    seed,
    intervals,
    fullMacs: manifest.macs,
    fullAccuracy: find(fullRight),
    leastShare: targets.budgets[0] as number,
    policies: families.map(({ name }, index) => ({
      policy: name,
      source: findPolicySource(name),
      ...mapFigures(figures[index] as PolicyFigures<SplitFigure>, find),
      curve: joinCurves(judged[index] as JudgedSplit[], targets),
    })),
  }
  const choose = (index: number) => judged[index]?.[0]?.choices[comparedDrops.indexOf(1)] as ExitChoice
  const onePoint = families.map((family, index) => ({ family, choice: choose(index) }))
  return { comparison, onePoint, judgedRows: judgedRows[0] as Uint32Array }
}

/** @returns the labels */
function checkCache({ gates, final, labels }: ScoreCache): Int32Array {
  if (labels === null)
    throw new InvalidArgumentError('The data have no labels; a comparison needs them to judge answers.')
  if (gates.length === 0) throw new InvalidArgumentError('The bundle has no gates to compare policies at; attach some.')
  if (final.rows >= leastSamples) return labels
  throw new InvalidArgumentError(
    `${final.rows} samples cannot tell which policy is better; pass at least ${leastSamples}, better thousands.`,
  )
}

interface Halves {
  readonly tuning: Uint32Array
  readonly judged: Uint32Array
}

function drawHalves(samples: number, seed: number, split: number): Halves {
  const order = permute(samples, createRandom(seed, split).below(2 ** 32))
  const half = Math.ceil(samples / 2)
  return { tuning: order.slice(0, half).sort(), judged: order.slice(half).sort() }
}

/** @returns what was asked, and per family how it fared on each split */
async function judgeSplits(
  { cache, manifest, families, signal, onProgress }: CompareOptions,
  halves: readonly Halves[],
): Promise<{ readonly targets: ComparisonTargets; readonly judged: readonly JudgedSplit[][] }> {
  const cost = countMacsCost(manifest)
  const least = ((cost.backbone[0] ?? 0) + (cost.head[0] ?? 0)) / manifest.macs
  const budgets = Array.from({ length: budgetCount }, (_, index) => least + ((1 - least) * index) / (budgetCount - 1))
  const targets = { drops: comparedDrops, shares: comparedShares, budgets }
  const judged = families.map((): JudgedSplit[] => [])
  const total = halves.length * families.length
  let done = 0
  for (const rows of halves) {
    const split = { tuning: selectCachedSamples(cache, rows.tuning), judged: selectCachedSamples(cache, rows.judged) }
    for (const [index, family] of families.entries()) {
      // The work is all arithmetic: without a pause no signal would get through.
      await setImmediate()
      signal?.throwIfAborted()
      judged[index]?.push(judgeSplit(split, { family, cost }, targets))
      onProgress?.({ phase: 'policies', done: ++done, total, unit: 'tunings' })
    }
  }
  return { targets, judged }
}
