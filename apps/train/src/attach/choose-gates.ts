import { choosePlacement, createExitTable, fitGateParameters, type ScoreCache } from '@sluice/calibration'
import { InvalidArgumentError, type PolicyFamily } from '@sluice/core'
import type { Cut, OnnxEngine } from '@sluice/onnx-graph'
import { type FeatureCollection, type FeatureRows, fitCheapHeads, spreadGates } from '@sluice/training'
import type { WorkOptions } from '../progress.ts'
import { coarsenFeatures } from './coarse-features.ts'
import { findCutFeatures, hasMaxima } from './cut-features.ts'
import type { FrozenNetwork } from './frozen-network.ts'
import type { HeadPlan } from './head-plan.ts'

/** Where gates go: chosen from the data, spread by share of MACs, or named. */
export type GatePlacement =
  | {
      readonly kind: 'auto'
      readonly maxDrop: number
      readonly maxGates: number
      /** Share of the network's MACs that a further gate must save, 0..1; the heads' own when absent. */
      readonly leastGain?: number | undefined
    }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'at'; readonly tensors: readonly string[] }

/** The cuts of a placement that needs no data. @throws InvalidArgumentError for a tensor that is no cut */
export function placeGates(cuts: readonly Cut[], placement: Exclude<GatePlacement, { kind: 'auto' }>): Cut[] {
  if (placement.kind === 'count') {
    const chosen = spreadGates(cuts, placement.count)
    return cuts.filter((_, index) => chosen.includes(index))
  }
  for (const tensor of placement.tensors) {
    if (cuts.some((cut) => cut.tensor === tensor)) continue
    throw new InvalidArgumentError(`The network has no cut '${tensor}' for a gate; sluice inspect lists the cuts.`)
  }
  return cuts.filter(({ tensor }) => placement.tensors.includes(tensor))
}

export interface ExploreOptions extends WorkOptions {
  readonly engine: OnnxEngine
  /** Features of all candidate cuts on the first part of the data. */
  readonly collection: FeatureCollection
  readonly cuts: readonly Cut[]
  readonly network: Pick<FrozenNetwork, 'format' | 'macs'>
  /** The heads that the chosen cuts will get. */
  readonly plan: HeadPlan
  /** Scores the cheap heads. */
  readonly family: PolicyFamily
  readonly maxDrop: number
  readonly maxGates: number
  readonly leastGain?: number | undefined
  readonly seed: number
}

/**
 * Gates are placed for these multiples of the target too. The final heads, fitted on all data, do at the target what the
 * cheap ones do at a laxer one, and four targets scatter less than one (docs/head-fitting.md).
 */
const laxerDrops = [2, 4, 8]

/**
 * Chooses cuts from data: fits a cheap head at every candidate on a part of the collected rows, and takes the subset
 * of gates with the least expected MACs around the target drop on the other part. Heads are priced as they will be fitted;
 * in place of those that convolve, ones without convolutions on coarser maps rank the cuts.
 * @throws InvalidArgumentError when no gate saves enough at the target
 */
export async function exploreGates(options: ExploreOptions): Promise<Cut[]> {
  const { cuts, plan, maxDrop, maxGates, leastGain = plan.leastGain, family } = options
  const features = cuts.map((cut) => findCutFeatures(options.collection, cut, plan.pooling, options.network.format))
  const cache = await scoreCandidates(options, features)
  const table = createExitTable(
    cache,
    family,
    fitGateParameters(cache, family),
    countCost(options, features, cache.final.classCount),
  )
  const furtherDrops = laxerDrops.map((factor) => factor * maxDrop)
  const { gates, met } = choosePlacement(table, { maxDrop, furtherDrops, maxGates, leastGain })
  if (met) return cuts.filter((_, index) => gates.includes(index))
  throw new InvalidArgumentError(
    `No gate saves ${Number((100 * leastGain).toPrecision(3))} % of the MACs at a drop of ${maxDrop} points on this data. Use more data, ask less with --placement-gain, or place gates with --gates N or --at.`,
  )
}

async function scoreCandidates(options: ExploreOptions, features: readonly FeatureRows[]): Promise<ScoreCache> {
  const { collection, cuts, network, plan, onProgress } = options
  const candidates: FeatureRows[] = []
  for (const [index, { shape }] of cuts.entries()) {
    const rows = features[index] as FeatureRows
    candidates.push(
      plan.channels.length > 0 ? await coarsenFeatures(rows, hasMaxima(rows, shape, network.format)) : rows,
    )
  }
  const { heads, networkScores, targets } = await fitCheapHeads({
    ...options,
    // Half the width ranks the cuts as well and takes half the time.
    hidden: plan.hidden === null ? null : Math.ceil(plan.hidden / 2),
    candidates,
    targets: collection.targets(),
    onProgress: (progress) => onProgress?.({ phase: 'place gates', ...progress, unit: 'cuts' }),
  })
  return { gates: heads, final: networkScores, labels: targets }
}

function countCost({ cuts, network, plan }: ExploreOptions, features: readonly FeatureRows[], classCount: number) {
  const backbone = cuts.map((cut, index) => cut.macs - (cuts[index - 1]?.macs ?? 0))
  backbone.push(network.macs - (cuts.at(-1)?.macs ?? 0))
  return { backbone, head: features.map((rows) => plan.countMacs(rows, classCount)) }
}
