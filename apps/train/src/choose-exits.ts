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
  type ThresholdSearch,
} from '@sluice/calibration'
import type { JsonObject, PolicyFamily } from '@sluice/core'

/** What gates are asked to decide by, and what they are to save. */
export interface ScoringOptions {
  readonly family: PolicyFamily
  /** What is minimised: `countMacsCost`, or milliseconds measured on this machine. */
  readonly cost: ExitCost
}

export interface ExitChoiceOptions extends ScoringOptions {
  /** Points of accuracy (or of agreement, without labels) that may be lost. */
  readonly maxDrop: number
  readonly search: ThresholdSearch
}

/** Gates that stand, and when they fire. */
export interface ExitChoice {
  /** Indices of the bundle's gates, ascending; the others are off. */
  readonly standing: readonly number[]
  /** The family's parameters, one per standing gate. */
  readonly parameters: readonly JsonObject[]
  /** A threshold for each standing gate, and what it does on the samples of the choice. */
  readonly point: OperatingPoint
  /** False when no gate saves anything within the target. */
  readonly met: boolean
  /** What the user should be told. */
  readonly warnings: readonly string[]
}

/** The gates and thresholds that cost least on cached samples within the drop allowed. */
export function chooseExits(cache: ScoreCache, options: ExitChoiceOptions): ExitChoice {
  const parameters = fitGateParameters(cache, options.family)
  const table = createExitTable(cache, options.family, parameters, options.cost)
  const { gates, met } = choosePlacement(table, options)
  return met ? chooseThresholds(cache, gates, options) : chooseNothing(cache, options)
}

/** More gates than this have never been faster, and all candidates are in memory at once. */
const mostGatesTried = 6

/** No gate, then the likeliest sets of each size, thresholds chosen. */
export function listExitChoices(cache: ScoreCache, options: ExitChoiceOptions): ExitChoice[] {
  const parameters = fitGateParameters(cache, options.family)
  const table = createExitTable(cache, options.family, parameters, options.cost)
  const sets = proposePlacements(table, { maxDrop: options.maxDrop, maxGates: mostGatesTried })
  return [chooseNothing(cache, options), ...sets.map((standing) => chooseThresholds(cache, standing, options))]
}

/** Every gate off. */
export function chooseNothing(cache: ScoreCache, options: ScoringOptions): ExitChoice {
  const off = { standing: [], parameters: [] }
  const point = evaluateThresholds(tabulateChoice(cache, off, options), [])
  return { ...off, point, met: false, warnings: describeSampleSize(cache.final.rows) }
}

/** The table of a choice's gates on cached samples, which need not be those of the choice. */
export function tabulateChoice(
  cache: ScoreCache,
  { standing, parameters }: Pick<ExitChoice, 'standing' | 'parameters'>,
  { family, cost }: ScoringOptions,
): ExitTable {
  return createExitTable(selectCachedGates(cache, standing), family, parameters, selectGateCosts(cost, standing))
}

/** Fits the family on the standing gates alone: the gates that are off are no earlier gates to them. */
function chooseThresholds(cache: ScoreCache, standing: readonly number[], options: ExitChoiceOptions): ExitChoice {
  const parameters = fitGateParameters(selectCachedGates(cache, standing), options.family)
  const table = tabulateChoice(cache, { standing, parameters }, options)
  return { standing, parameters, ...searchThresholds(table, options) }
}
