import type { NetworkSpec } from './networks.ts'
import type { Reproduction, Variant } from './result.ts'

/** One thing that a row has to reach, and whether it does. */
export interface TargetVerdict {
  readonly what: string
  readonly isMet: boolean
}

/** Points of accuracy that count as no drop: less rounds to 0.0. */
const noDrop = 0.05

/** What is asked of one kind of gates on a network. @param result null where nothing was measured: no target is met then */
export function judgeTargets(
  { targets }: Pick<NetworkSpec, 'targets'>,
  name: Variant['name'],
  result: Reproduction | null,
): TargetVerdict[] {
  const variant = result?.variants.find((candidate) => candidate.name === name)
  const verdicts: TargetVerdict[] = []
  if (targets.macsSaved !== undefined) {
    const asked = targets.macsSaved[name]
    const what = `${Math.round(100 * asked)} % of the MACs at 2 points`
    verdicts.push({ what, isMet: findMostSaved(variant, 2) >= asked })
  }
  if (targets.timeShare !== undefined) {
    const batch = variant?.bench.batch.find(({ size }) => size === 64)
    const share = batch === undefined ? null : divideByIdeal(batch.timeSaved, batch.idealTimeSaved)
    verdicts.push({ what: `${targets.timeShare} of the ideal time`, isMet: (share ?? 0) >= targets.timeShare })
  }
  if (targets.gmacsAtNoDrop !== undefined) {
    const gmacs = (findMostSaved(variant, noDrop) * (result?.macs ?? 0)) / 1e9
    verdicts.push({ what: `${targets.gmacsAtNoDrop} GMACs at no drop`, isMet: gmacs >= targets.gmacsAtNoDrop })
  }
  return verdicts
}

/** Saved time as a part of what the exits would ideally save; null where that is nothing or a loss. */
export function divideByIdeal(saved: number, ideal: number): number | null {
  return ideal > 0 ? saved / ideal : null
}

/** The largest median saving of any policy at any target whose median drop is at most that many points. */
function findMostSaved(variant: Variant | undefined, maxDrop: number): number {
  const points = variant?.compare.policies.flatMap(({ atDrop }) => atDrop) ?? []
  return Math.max(...points.filter(({ drop }) => drop.median <= maxDrop).map(({ macsSaved }) => macsSaved.median))
}
