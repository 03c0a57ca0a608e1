import { searchCoordinates } from './coordinate-search.ts'
import { createDropTest, type DropTarget, type DropTest, describeSampleSize } from './drop-target.ts'
import { searchDynamicProgramming } from './dynamic-programming-search.ts'
import { checkExitTable, type ExitTable, selectSamples } from './exit-table.ts'
import { countAlongPath, createLevelPath, evaluateLevelPath, findLevelStep } from './level-path.ts'
import { evaluateThresholds, type OperatingPoint } from './operating-point.ts'
import { createSearchSpace, type SearchSpace } from './threshold-grid.ts'

/**
 * How thresholds are searched: `level` asks the same confidence of every gate (one number to choose, the default);
 * the others choose every gate's threshold by itself.
 */
export type ThresholdSearch = 'level' | 'coordinate' | 'dynamic-programming'

export interface ThresholdSearchOptions extends DropTarget {
  /** Default `level`. */
  readonly search?: ThresholdSearch
}

/** How a richer search fared on samples that it had not seen, means over both halves. */
export interface HeldOutComparison {
  readonly accepted: boolean
  /** Points of accuracy lost by the richer search's thresholds. */
  readonly drop: number
  /** Points of accuracy lost by the level search's thresholds. */
  readonly levelDrop: number
  /** Fraction of the cost saved by the richer search's thresholds. */
  readonly saved: number
  /** Fraction that the level path saves on the same samples at no larger drop than the richer search's. */
  readonly levelSaved: number
}

export interface ThresholdSearchResult {
  /** The chosen thresholds and what they do on the table's samples. */
  readonly point: OperatingPoint
  /** False when no firing thresholds meet the target; all thresholds are then `Infinity`. */
  readonly met: boolean
  /** The search that `point` comes from: `level` when a richer one was asked for but did not prove itself. */
  readonly search: ThresholdSearch
  /** Null unless a richer search was asked for and there was something to compare. */
  readonly heldOut: HeldOutComparison | null
  /** What the user should be told, e.g. that there are few samples. */
  readonly warnings: readonly string[]
}

/**
 * Chooses the cheapest thresholds that meet a target on the table's samples. A richer search than `level` overfits
 * easily, so it is first tried on each half of the samples and judged on the other half; its thresholds are taken only
 * when there they stayed as near to the target as the level search's did and saved more than the level path saves at
 * the same drop, and when they also save more on all samples.
 *
 * @throws InvalidArgumentError for a target that is not a number
 * @throws SluiceError of `checkExitTable`
 */
export function searchThresholds(table: ExitTable, options: ThresholdSearchOptions): ThresholdSearchResult {
  checkExitTable(table)
  const { search = 'level' } = options
  const warnings = describeSampleSize(table.samples)
  const level = searchBy('level', table, options)
  const met = level.thresholds.some((threshold) => threshold !== Number.POSITIVE_INFINITY)
  if (search === 'level' || !met || table.samples < 2)
    return { point: level, met, search: 'level', heldOut: null, warnings }
  const heldOut = compareHeldOut(search, table, options)
  const richer = heldOut.accepted ? searchBy(search, table, options) : level
  const isBetter = richer.cost < level.cost
  return { point: isBetter ? richer : level, met, search: isBetter ? search : 'level', heldOut, warnings }
}

function searchBy(search: ThresholdSearch, table: ExitTable, target: DropTarget): OperatingPoint {
  const path = createLevelPath(table)
  return evaluateThresholds(table, chooseThresholds(search, createSearchSpace(table, path), target))
}

function chooseThresholds(search: ThresholdSearch, space: SearchSpace, target: DropTarget): number[] {
  const steps = chooseSteps(search, space, target)
  return space.grid.thresholds.map((thresholds, gate) => thresholds[steps[gate] as number] as number)
}

function chooseSteps(search: ThresholdSearch, space: SearchSpace, target: DropTarget): ArrayLike<number> {
  const qualifies = createDropTest(target)
  const counts = countAlongPath(space, [...space.entries.keys()])
  const atLevel = (test: DropTest) => space.entries.map(() => findLevelStep(counts, space.table.samples, test))
  if (search === 'level') return atLevel(qualifies)
  if (search === 'dynamic-programming') return searchDynamicProgramming(space, atLevel(qualifies), qualifies)
  const spendable = Math.max(target.maxDrop, 0)
  const start = atLevel((drop, error) => qualifies(drop + spendable, error))
  return searchCoordinates(space, start, qualifies)
}

function compareHeldOut(search: ThresholdSearch, table: ExitTable, target: DropTarget): HeldOutComparison {
  const even = Uint32Array.from({ length: Math.ceil(table.samples / 2) }, (_, index) => 2 * index)
  const odd = Uint32Array.from({ length: Math.floor(table.samples / 2) }, (_, index) => 2 * index + 1)
  const halves = [selectSamples(table, even), selectSamples(table, odd)] as const
  const first = judgeOn(halves[1], halves[0], search, target)
  const second = judgeOn(halves[0], halves[1], search, target)
  const mean = (key: keyof typeof first) => (first[key] + second[key]) / 2
  const [drop, levelDrop, saved, levelSaved] = [mean('drop'), mean('levelDrop'), mean('saved'), mean('levelSaved')]
  const accepted = drop <= Math.max(target.maxDrop, levelDrop) && saved > levelSaved
  return { accepted, drop, levelDrop, saved, levelSaved }
}

function judgeOn(unseen: ExitTable, seen: ExitTable, search: ThresholdSearch, target: DropTarget) {
  const path = createLevelPath(seen)
  const space = createSearchSpace(seen, path)
  const richer = evaluateThresholds(unseen, chooseThresholds(search, space, target))
  const level = evaluateThresholds(unseen, chooseThresholds('level', space, target))
  const alongPath = evaluateLevelPath(unseen, path).filter(({ drop }) => drop <= richer.drop)
  const levelSaved = alongPath.reduce((most, { saved }) => Math.max(most, saved), Number.NEGATIVE_INFINITY)
  return { drop: richer.drop, levelDrop: level.drop, saved: richer.saved, levelSaved }
}
