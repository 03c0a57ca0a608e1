import {
  choosePlacement,
  createExitTable,
  describeSampleSize,
  type ExitCost,
  type ExitTable,
  evaluateThresholds,
  fitGateParameters,
  type OperatingPoint,
  proposePlacements,
  type ScoreCache,
  searchThresholds,
  selectCachedGates,
  selectGateCosts,
  selectGates,
  type ThresholdSearch,
} from '@sluice/calibration'
import type { BundleManifest, JsonObject, PolicyFamily } from '@sluice/core'

/** What gates are asked to decide by, and what they are to save. */
export interface ScoringOptions {
  readonly family: PolicyFamily
  /** What is minimised: `countMacsCost`, or milliseconds measured on this machine. */
  readonly cost: ExitCost
}

/** Some of a bundle's gates, with a family fitted on them. */
export interface FittedGates {
  /** Indices of the bundle's gates, ascending; the others are off. */
  readonly standing: readonly number[]
  /** The family's parameters, one per standing gate. */
  readonly parameters: readonly JsonObject[]
}

/** Fitted gates, and what they would do with each sample of a cache. */
export interface TabulatedGates extends FittedGates {
  readonly table: ExitTable
}

/** Cached samples that gates and thresholds are chosen on, for one family and cost. */
export interface TuningSamples {
  readonly cache: ScoreCache
  /** Whether a gate can stand only where all gates in front stand too. */
  readonly isCascade: boolean
  /**
   * Fits the family on the standing gates alone, all where none are named: those that are off are no earlier gates to
   * them. The table is that of these samples. The same gates are fitted once.
   */
  fitGates(standing?: readonly number[]): TabulatedGates
}

export interface ExitTarget {
  /** Points of accuracy (or of agreement, without labels) that may be lost. */
  readonly maxDrop: number
  readonly search: ThresholdSearch
}

/** Gates that stand, and when they fire. */
export interface ExitChoice extends FittedGates {
  /** A threshold for each standing gate, and what it does on the samples of the choice. */
  readonly point: OperatingPoint
  /** False when no gate saves anything within the target. */
  readonly met: boolean
  /** What the user should be told. */
  readonly warnings: readonly string[]
}

/**
 * Prepares cached samples for choices on them.
 *
 * @param isCascade whether heads take the class scores of the gates in front, see {@link hasCascade}; false when absent
 */
export function createTuningSamples(cache: ScoreCache, scoring: ScoringOptions, isCascade = false): TuningSamples {
  const all = [...cache.gates.keys()]
  const fitted = new Map<string, TabulatedGates>()
  const fit = (standing: readonly number[]): TabulatedGates => {
    const parameters = fitGateParameters(selectCachedGates(cache, standing), scoring.family)
    return { standing, parameters, table: tabulateGates(cache, { standing, parameters }, scoring) }
  }
  const fitGates = (standing: readonly number[] = all): TabulatedGates => {
    const isFitAlone = scoring.family.usesEarlierGates || standing.length === all.length
    const gates = fitted.get(standing.join()) ?? (isFitAlone ? fit(standing) : pickGates(fitGates(), standing))
    fitted.set(standing.join(), gates)
    return gates
  }
  return { cache, isCascade, fitGates }
}

/** Some of all gates, where each is fitted by itself. */
function pickGates({ parameters, table }: TabulatedGates, standing: readonly number[]): TabulatedGates {
  return {
    standing,
    parameters: standing.map((gate) => parameters[gate] as JsonObject),
    table: selectGates(table, standing),
  }
}

/** Whether the heads of a bundle take the class scores of gates in front, so that its gates stand from the first on. */
export function hasCascade({ stages }: Pick<BundleManifest, 'stages'>): boolean {
  return stages.some(({ scoresInput }) => scoresInput !== undefined)
}

/** The gates and thresholds that cost least on the samples within the drop allowed. */
export function chooseExits(tuning: TuningSamples, target: ExitTarget): ExitChoice {
  if (tuning.isCascade) return chooseFirstGates(tuning, target)
  const { gates, met } = choosePlacement(tuning.fitGates().table, target)
  return met ? chooseThresholds(tuning, gates, target) : chooseNothing(tuning)
}

/** Fraction of the full cost that each gate of a cascade must save to stand, as `choosePlacement` asks of other gates. */
const leastGain = 0.001

/** As many of the first gates as cost least. */
function chooseFirstGates(tuning: TuningSamples, target: ExitTarget): ExitChoice {
  const choices = listFirstGates(tuning).map((standing) => chooseThresholds(tuning, standing, target))
  const price = ({ standing, point }: ExitChoice) => point.cost + leastGain * standing.length * point.fullCost
  return choices.reduce((best, choice) => (price(choice) < price(best) ? choice : best), chooseNothing(tuning))
}

/** The first gate, the first two, and so on. */
function listFirstGates({ cache }: TuningSamples): number[][] {
  return cache.gates.map((_, last) => Array.from({ length: last + 1 }, (_, gate) => gate))
}

/** More gates than this have never been faster, and all candidates are in memory at once. */
const mostGatesTried = 6

/** No gate, then the likeliest sets of each size, thresholds chosen. */
export function listExitChoices(tuning: TuningSamples, target: ExitTarget): ExitChoice[] {
  const { maxDrop } = target
  const sets = tuning.isCascade
    ? listFirstGates(tuning).slice(0, mostGatesTried)
    : proposePlacements(tuning.fitGates().table, { maxDrop, maxGates: mostGatesTried })
  return [chooseNothing(tuning), ...sets.map((standing) => chooseThresholds(tuning, standing, target))]
}

/** Every gate off. */
export function chooseNothing(tuning: TuningSamples): ExitChoice {
  const { table, ...gates } = tuning.fitGates([])
  return {
    ...gates,
    point: evaluateThresholds(table, []),
    met: false,
    warnings: describeSampleSize(tuning.cache.final.rows),
  }
}

/** The table of gates on cached samples, which need not be those that the gates were fitted on. */
export function tabulateGates(
  cache: ScoreCache,
  { standing, parameters }: FittedGates,
  { family, cost }: ScoringOptions,
): ExitTable {
  return createExitTable(selectCachedGates(cache, standing), family, parameters, selectGateCosts(cost, standing))
}

function chooseThresholds(tuning: TuningSamples, standing: readonly number[], target: ExitTarget): ExitChoice {
  const { table, ...gates } = tuning.fitGates(standing)
  return { ...gates, ...searchThresholds(table, target) }
}
