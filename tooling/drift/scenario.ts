import { type ExitTable, findExits, type ScoreCache } from '@sluice/calibration'
import type { ClassScores } from '@sluice/core'
import type { Random } from '@sluice/datasets'
import { type CalibratedGates, rowsBetween } from './calibrate-gates.ts'

/** A stream of samples that changes with its severity, 0..5. */
export interface Scenario {
  readonly name: string
  /** All that a row of the stream can be. */
  readonly table: ExitTable
  /** Per row of `table`: 1 where the gated answer differs from the full network's. */
  readonly losses: Uint8Array
  mixAt(severity: number): Mixture
}

/** Where the rows of one severity come from: two groups of rows of the table, drawn from evenly. */
interface Mixture {
  readonly groups: readonly [Uint32Array, Uint32Array]
  /** Share of the second group, 0..1. */
  readonly share: number
}

/**
 * A scenario for each corruption, and a shift of labels to the class that the gates disagree on most.
 *
 * @param clean labelled samples
 * @param corrupted the same samples under each corruption, by its name, severities 1 to 5
 */
export function createScenarios(
  clean: ScoreCache,
  corrupted: ReadonlyMap<string, readonly ScoreCache[]>,
  gates: CalibratedGates,
): Scenario[] {
  return [
    ...Array.from(corrupted, ([name, caches]) => createCorruption(name, [clean, ...caches], gates)),
    createLabelShift(clean, gates),
  ]
}

/** The mean loss of the rows that come at a severity. */
export function measureRisk({ losses, mixAt }: Scenario, severity: number): number {
  const { groups, share } = mixAt(severity)
  const [first, second] = groups.map((group) => meanLoss(losses, group)) as [number, number]
  return (1 - share) * first + share * second
}

/** The row of the scenario's table that comes next. */
export function drawRow({ groups, share }: Mixture, random: Random): number {
  const group = groups[random.next() < share ? 1 : 0]
  return group[random.below(group.length)] as number
}

/** Random samples, each at one of the two severities nearest to the one asked for. */
function createCorruption(name: string, caches: readonly ScoreCache[], gates: CalibratedGates): Scenario {
  const samples = caches[0]?.final.rows ?? 0
  const levels = caches.map((_, level) => rowsBetween(level * samples, (level + 1) * samples))
  return {
    name,
    ...judge(joinCaches(caches), gates),
    mixAt(severity) {
      const level = Math.min(Math.floor(severity), levels.length - 2)
      return { groups: [levels[level], levels[level + 1]] as [Uint32Array, Uint32Array], share: severity - level }
    },
  }
}

/** Random samples, a growing share of them of one class: all of them at severity 5. */
function createLabelShift(cache: ScoreCache, gates: CalibratedGates): Scenario {
  const { labels, final } = cache
  if (labels === null) throw new Error('The data have no labels to shift; pass labelled data.')
  const judged = judge(cache, gates)
  const everything = rowsBetween(0, final.rows)
  const classes = Array.from({ length: final.classCount }, (_, label) =>
    everything.filter((row) => labels[row] === label),
  )
  const risks = classes.map((rows) => meanLoss(judged.losses, rows))
  const label = risks.indexOf(Math.max(...risks))
  const groups = [everything, classes[label]] as [Uint32Array, Uint32Array]
  return { name: `label shift to class ${label}`, ...judged, mixAt: (severity) => ({ groups, share: severity / 5 }) }
}

function meanLoss(losses: Uint8Array, rows: Uint32Array): number {
  return rows.reduce((sum, row) => sum + (losses[row] as number), 0) / rows.length
}

function judge(cache: ScoreCache, { createTable, thresholds }: CalibratedGates): Pick<Scenario, 'table' | 'losses'> {
  const table = createTable(cache)
  const losses = findExits(table, thresholds).map((gate, row) => 1 - (table.gates[gate]?.right[row] ?? 1))
  return { table, losses }
}

function joinCaches(caches: readonly ScoreCache[]): ScoreCache {
  return {
    gates: (caches[0]?.gates ?? []).map(({ weightNorms }, gate) => ({
      scores: joinScores(caches.flatMap((cache) => cache.gates[gate]?.scores ?? [])),
      weightNorms,
    })),
    final: joinScores(caches.map((cache) => cache.final)),
    labels: null,
  }
}

function joinScores(parts: readonly ClassScores[]): ClassScores {
  const data = new Float32Array(parts.reduce((length, part) => length + part.data.length, 0))
  let end = 0
  for (const part of parts) {
    data.set(part.data, end)
    end += part.data.length
  }
  return { data, rows: parts.reduce((rows, part) => rows + part.rows, 0), classCount: parts[0]?.classCount ?? 0 }
}
