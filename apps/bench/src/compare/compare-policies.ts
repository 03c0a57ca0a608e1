import { countMacsCost, type ExitChoice } from '@sluice/app-train'
import type { ScoreCache } from '@sluice/calibration'
import { argmaxRows, type BundleManifest, InvalidArgumentError, type PolicyFamily } from '@sluice/core'
import { type Estimate, estimateMedians, type SplitFigure } from './bootstrap.ts'
import { type Comparison, mapFigures, type PolicyFigures } from './comparison.ts'
import { joinCurves, joinFigures } from './join-splits.ts'
import type { ComparisonTargets } from './judge-split.ts'
import { drawHalves, type FamilySplits, type JudgeSplitsOptions, judgeSplits } from './judge-splits.ts'
import { findPolicySource } from './policy-sources.ts'

export interface CompareOptions extends JudgeSplitsOptions {
  /** Name of the data. */
  readonly data: string
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
  const { cache, manifest, splits, seed } = options
  const labels = checkCache(cache)
  const samples = cache.final.rows
  const halves = Array.from({ length: splits }, (_, split) => drawHalves(samples, seed, split))
  const judgedRows = halves.map(({ judged }) => judged)
  const targets = chooseTargets(manifest)
  const families = (await judgeSplits(options, halves, targets)).map((judged) => ({
    ...judged,
    figures: joinFigures(judged.splits, targets),
  }))
  const answers = argmaxRows(cache.final)
  const fullRight = judgedRows.map((rows) => Float32Array.from(rows, (row) => (answers[row] === labels[row] ? 1 : 0)))
  const find = await estimateFigures(options, judgedRows, [fullRight, ...families.flatMap(listFigures)])
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
    policies: families.map((judged) => ({
      policy: judged.family.name,
      source: findPolicySource(judged.family.name),
      ...mapFigures(judged.figures, find),
      curve: joinCurves(judged.splits, targets),
    })),
  }
  return { comparison, onePoint: families.map(findOnePoint), judgedRows: judgedRows[0] as Uint32Array }
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

function chooseTargets(manifest: BundleManifest): ComparisonTargets {
  const { backbone, head } = countMacsCost(manifest)
  const least = ((backbone[0] ?? 0) + (head[0] ?? 0)) / manifest.macs
  const budgets = Array.from({ length: budgetCount }, (_, index) => least + ((1 - least) * index) / (budgetCount - 1))
  return { drops: comparedDrops, shares: comparedShares, budgets }
}

function listFigures({ figures }: { readonly figures: PolicyFigures<SplitFigure> }): SplitFigure[] {
  const list: SplitFigure[] = []
  mapFigures(figures, (figure) => list.push(figure))
  return list
}

/** @returns what tells a figure's median and interval */
async function estimateFigures(
  { cache, seed, signal, onProgress }: CompareOptions,
  judgedRows: readonly Uint32Array[],
  figures: readonly SplitFigure[],
): Promise<(figure: SplitFigure) => Estimate> {
  const onResample = (done: number) =>
    onProgress?.({ phase: 'intervals', done, total: intervals.resamples, unit: 'resamples' })
  const options = { ...intervals, samples: cache.final.rows, judgedRows, seed, onResample, signal }
  const estimates = await estimateMedians(figures, options)
  return (figure) => estimates[figures.indexOf(figure)] as Estimate
}

function findOnePoint({ family, splits: [first] }: FamilySplits): FamilyChoice {
  return { family, choice: first?.choices[comparedDrops.indexOf(1)] as ExitChoice }
}
