import {
  choosePlacement,
  createExitTable,
  describeSampleSize,
  type ExitCost,
  type ExitTable,
  evaluateThresholds,
  fitEndParameters,
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
import type { JsonObject, PolicyFamily } from '@sluice/core'

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
  /** Its parameters for rows that reach the end; null where these keep the full network's answers. */
  readonly endParameters: JsonObject | null
}

/** Fitted gates, and what they would do with each sample of a cache. */
export interface TabulatedGates extends FittedGates {
  readonly table: ExitTable
}

/** Cached samples that gates and thresholds are chosen on, for one family and cost. */
export interface TuningSamples {
  readonly cache: ScoreCache
  /** Whether a gate does the same whichever others stand. */
  readonly areGatesIndependent: boolean
  /** Whether heads take the scores of the gates in front: only the first so many gates can then stand without the others. */
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

/** Prepares cached samples for choices on them. */
export function createTuningSamples(cache: ScoreCache, scoring: ScoringOptions): TuningSamples {
  const all = [...cache.gates.keys()]
  const { usesEarlierGates, end } = scoring.family
  const areGatesIndependent = !usesEarlierGates && end === undefined
  const isCascade = cache.gates.some(({ takesScores }) => takesScores)
  const fitted = new Map<string, TabulatedGates>()
  const fit = (standing: readonly number[]): TabulatedGates => {
    const known = findSharedStart([...fitted.values()], standing)
    const selected = selectCachedGates(cache, standing)
    const gates = {
      standing,
      parameters: fitGateParameters(selected, scoring.family, known),
      endParameters: fitEndParameters(selected, scoring.family),
    }
    return { ...gates, table: tabulateGates(cache, gates, scoring) }
  }
  const fitGates = (standing: readonly number[] = all): TabulatedGates => {
    const isPicked = areGatesIndependent && standing.length < all.length
    const gates = fitted.get(standing.join()) ?? (isPicked ? pickGates(fitGates(), standing) : fit(standing))
    fitted.set(standing.join(), gates)
    return gates
  }
  return { cache, areGatesIndependent, isCascade, fitGates }
}

/** Parameters of the first gates of a set, from the set that shares most of them: gates look at those in front alone. */
function findSharedStart(sets: readonly FittedGates[], standing: readonly number[]): readonly JsonObject[] {
  const starts = sets.map((set) => {
    const end = standing.findIndex((gate, index) => set.standing[index] !== gate)
    return set.parameters.slice(0, end < 0 ? standing.length : end)
  })
  return starts.reduce((longest, start) => (start.length > longest.length ? start : longest), [])
}

/** Some of all gates, where each is fitted by itself and the end is left alone. */
function pickGates({ parameters, table }: TabulatedGates, standing: readonly number[]): TabulatedGates {
  return {
    standing,
    parameters: standing.map((gate) => parameters[gate] as JsonObject),
    endParameters: null,
    table: selectGates(table, standing),
  }
}

/** The gates and thresholds that cost least on the samples within the drop allowed; none where nothing is saved. */
export function chooseExits(tuning: TuningSamples, target: ExitTarget): ExitChoice {
  const choice = selectSearch(tuning)(tuning, target)
  return choice.point.saved > 0 ? choice : chooseNothing(tuning)
}

function selectSearch({ isCascade, areGatesIndependent }: TuningSamples): typeof placeGates {
  if (isCascade) return takeFirstGates
  return areGatesIndependent ? placeGates : eliminateGates
}

function placeGates(tuning: TuningSamples, target: ExitTarget): ExitChoice {
  const { gates } = choosePlacement(tuning.fitGates().table, target)
  return gates.length > 0 ? chooseThresholds(tuning, gates, target) : chooseNothing(tuning)
}

/**
 * Share of the cost that a further gate must save where gates depend on each other: 1 %, because MACs leave out about that
 * much of what a gate costs in time.
 */
const leastGain = 0.01

/**
 * Begins with all gates and leaves out the one without which most is saved, again and again, until that costs something.
 * Every set is fitted by itself: what gates that look at earlier ones do in one set says little about another.
 */
function eliminateGates(tuning: TuningSamples, target: ExitTarget): ExitChoice {
  let choice = chooseThresholds(tuning, tuning.fitGates().standing, target)
  while (choice.standing.length > 1) {
    const { standing, point } = choice
    const fewer = standing.map((gate) =>
      chooseThresholds(
        tuning,
        standing.filter((other) => other !== gate),
        target,
      ),
    )
    const best = fewer.reduce((a, b) => (b.point.saved > a.point.saved ? b : a))
    if (best.point.saved < point.saved - leastGain) return choice
    choice = best
  }
  return choice
}

/** As many of the first gates as save most. */
function takeFirstGates(tuning: TuningSamples, target: ExitTarget): ExitChoice {
  const choices = listFirstGates(tuning).map((standing) => chooseThresholds(tuning, standing, target))
  const gain = ({ standing, point }: ExitChoice) => point.saved - leastGain * standing.length
  return choices.reduce((best, choice) => (gain(choice) > gain(best) ? choice : best), chooseNothing(tuning))
}

/** The first gate, the first two, and so on. */
function listFirstGates({ cache }: TuningSamples): number[][] {
  return cache.gates.map((_, last) => Array.from({ length: last + 1 }, (_, gate) => gate))
}

/** More gates than this have never been faster, and all candidates are in memory at once. */
const mostGatesTried = 6

/** No gate, then the likeliest sets of each size that meet the target, thresholds chosen. */
export function listExitChoices(tuning: TuningSamples, target: ExitTarget): ExitChoice[] {
  const { maxDrop } = target
  const sets = tuning.isCascade
    ? listFirstGates(tuning).slice(0, mostGatesTried)
    : proposePlacements(tuning.fitGates().table, { maxDrop, maxGates: mostGatesTried })
  const choices = sets.map((standing) => chooseThresholds(tuning, standing, target))
  return [chooseNothing(tuning), ...choices.filter(({ met }) => met)]
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
  { standing, parameters, endParameters }: FittedGates,
  { family, cost }: ScoringOptions,
): ExitTable {
  const selected = selectCachedGates(cache, standing)
  return createExitTable(selected, family, parameters, selectGateCosts(cost, standing), endParameters)
}

function chooseThresholds(tuning: TuningSamples, standing: readonly number[], target: ExitTarget): ExitChoice {
  const { table, ...gates } = tuning.fitGates(standing)
  return { ...gates, ...searchThresholds(table, target) }
}
