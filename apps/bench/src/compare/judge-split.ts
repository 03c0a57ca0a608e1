import {
  chooseExits,
  createTuningSamples,
  type ExitChoice,
  type ScoringOptions,
  type TuningSamples,
  tabulateGates,
} from '@sluice/app-train'
import {
  countExitCosts,
  countFullCost,
  type ExitTable,
  findExits,
  listRight,
  type ScoreCache,
} from '@sluice/calibration'
import type { CurvePoint, PolicyFigures } from './comparison.ts'
import { createFrontier, type GateThresholds } from './frontier.ts'

/** Gates chosen for these drops only widen the choice for a budget. */
const furtherDrops = [5, 20]

/** The halves of a split. */
export interface Split {
  readonly tuning: ScoreCache
  readonly judged: ScoreCache
}

/** What is asked of every policy. */
export interface ComparisonTargets {
  /** Drops in points that gates and thresholds are chosen for. */
  readonly drops: readonly number[]
  /** Shares of the MACs. */
  readonly shares: readonly number[]
  /** Shares of the MACs that the curve is drawn at, ascending, evenly spaced; the first is that of the first gate. */
  readonly budgets: readonly number[]
}

/** What a policy family does on the judged half of a split: of every figure a value for each judged sample. */
export interface JudgedSplit extends PolicyFigures<Float32Array> {
  /** The choice for each drop. */
  readonly choices: readonly ExitChoice[]
  /** The means at each budget. */
  readonly curve: readonly CurvePoint[]
}

/**
 * Chooses a family's gates and thresholds on one half as `calibrate` does, for every drop; and, among all operating
 * points of the gates so chosen, the most accurate one within every budget. Judges them on the other half.
 *
 * @param scoring the cost is that of MACs
 */
export function judgeSplit(
  { tuning, judged }: Split,
  scoring: ScoringOptions,
  { drops, shares, budgets }: ComparisonTargets,
): JudgedSplit {
  const samples = createTuningSamples(tuning, scoring)
  const choose = (maxDrop: number) => chooseExits(samples, { maxDrop, search: 'level' })
  const choices = drops.map(choose)
  const sets = [[], [0], ...[...choices, ...furtherDrops.map(choose)].map(({ standing }) => standing)]
  const { judge, judgeWithin } = createJudge(samples, sets, judged, scoring)
  const atBudgets = budgets.map(judgeWithin)
  return {
    choices,
    atDrop: choices.map(({ standing, point: { thresholds } }, index) => {
      const { right, fullRight, macsShare } = judge({ standing, thresholds })
      return {
        maxDrop: drops[index] as number,
        macsSaved: macsShare.map((share) => 1 - share),
        drop: fullRight.map((full, row) => 100 * (full - (right[row] as number))),
      }
    }),
    atShare: shares.map((share) => {
      if (share < (budgets[0] as number)) return { share, accuracy: null, macsShare: null }
      const { right, macsShare } = judgeWithin(share)
      return { share, accuracy: right, macsShare }
    }),
    area: averageRight(atBudgets, judged.final.rows),
    curve: atBudgets.map(({ macsShare, right }, index) => ({
      budget: budgets[index] as number,
      macsShare: findMean(macsShare),
      accuracy: findMean(right),
    })),
  }
}

/** @param sets of gates that may stand */
function createJudge(
  samples: TuningSamples,
  sets: readonly (readonly number[])[],
  judged: ScoreCache,
  scoring: ScoringOptions,
) {
  const fitted = new Map(sets.map((standing) => [standing.join(), samples.fitGates(standing)]))
  const unseen = new Map([...fitted].map(([key, gates]) => [key, tabulateGates(judged, gates, scoring)]))
  const frontier = createFrontier([...fitted.values()])
  const judge = ({ standing, thresholds }: GateThresholds) =>
    judgeThresholds(unseen.get(standing.join()) as ExitTable, thresholds)
  return { judge, judgeWithin: (budget: number) => judge(frontier.findWithin(budget)) }
}

/** What each judged sample gets from gates and thresholds, `[samples judged]`. */
interface JudgedSamples {
  /** 1 where the answer is right, else 0. */
  readonly right: Float32Array
  /** The same of the full network. */
  readonly fullRight: Float32Array
  /** What the sample costs, heads included, as a fraction of the full network's cost. */
  readonly macsShare: Float32Array
}

function judgeThresholds(table: ExitTable, thresholds: readonly number[]): JudgedSamples {
  const exitCosts = countExitCosts(table.cost)
  const fullCost = countFullCost(table.cost)
  const exits = findExits(table, thresholds)
  const rights = listRight(table)
  return {
    right: Float32Array.from(exits, (exit, row) => rights[exit]?.[row] as number),
    fullRight: Float32Array.from(table.finalRight),
    macsShare: Float32Array.from(exits, (exit) => (exitCosts[exit] as number) / fullCost),
  }
}

/** Per sample the area under its own curve, 1 at the budgets where its answer is right and else 0, over their range. */
function averageRight(atBudgets: readonly JudgedSamples[], samples: number): Float32Array {
  const area = new Float32Array(samples)
  const last = atBudgets.length - 1
  atBudgets.forEach(({ right }, index) => {
    const weight = (index === 0 || index === last ? 0.5 : 1) / last
    right.forEach((value, row) => {
      area[row] = (area[row] as number) + weight * value
    })
  })
  return area
}

function findMean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
