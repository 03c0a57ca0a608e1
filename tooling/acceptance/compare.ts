import type { Comparison } from '@sluice/app-bench'
import { runSluice } from './sluice-process.ts'
import { type AcceptanceRow, atLeast, atMost } from './table.ts'

/** By the points that may be lost, the share of the MACs to be saved. */
const targets = new Map([
  [0, 0.35],
  [0.5, 0.46],
  [1, 0.5],
  [2, 0.55],
])

/** Points that the median of the judged halves may lie over the target. */
const tolerance = 0.2

/** What the best policy saves at each target, medians over ten splits of the data in halves, and its time at one point. */
export async function checkComparison(bundle: string, data: string): Promise<AcceptanceRow[]> {
  const { json } = await runSluice<Comparison>(['compare', bundle, '--data', data, '--no-time'])
  const rows = [...targets].flatMap(([maxDrop, macsSaved]) => {
    const { policy, saved, drop } = findBest(json, maxDrop)
    const what = `compare, ${maxDrop} points to lose, best policy (${policy})`
    return [
      atLeast(`${what}: MACs saved`, saved, macsSaved, 'checked'),
      atMost(`${what}: drop on the unseen half`, drop, maxDrop + tolerance, 'checked', ' points'),
    ]
  })
  return [...rows, ...(await checkTime(bundle, data, findEquals(json, 1)))]
}

/** The policy that saves most, of those that keep to the drop where any does. */
function findBest(comparison: Comparison, maxDrop: number) {
  return rankPolicies(comparison, maxDrop).reduce((a, b) => (b.saved > a.saved ? b : a))
}

/** Policies whose interval of MACs saved holds what the best one saves: the data do not tell them apart. */
function findEquals(comparison: Comparison, maxDrop: number): string[] {
  const best = findBest(comparison, maxDrop)
  return rankPolicies(comparison, maxDrop)
    .filter(({ high }) => high >= best.saved)
    .map(({ policy }) => policy)
}

/** What each policy saves, of those that keep to the drop where any does. */
function rankPolicies({ policies }: Comparison, maxDrop: number) {
  const figures = policies.flatMap(({ policy, atDrop }) =>
    atDrop
      .filter((at) => at.maxDrop === maxDrop)
      .map(({ macsSaved: { median, high }, drop }) => ({ policy, saved: median, high, drop: drop.median })),
  )
  const within = figures.filter(({ drop }) => drop <= maxDrop + tolerance)
  return within.length > 0 ? within : figures
}

/**
 * The clock runs at what the first split chose for one point. Of policies that save as many MACs it is the fastest one's,
 * which a run of its own finds, so that chance does not flatter it.
 */
async function checkTime(bundle: string, data: string, policies: readonly string[]): Promise<AcceptanceRow[]> {
  const trial = await timePolicies(bundle, data, policies, 5)
  const { policy } = trial.reduce((a, b) => (sumTimeSaved(b) > sumTimeSaved(a) ? b : a))
  const [timed] = await timePolicies(bundle, data, [policy], 15)
  if (timed?.time === undefined) throw new Error(`compare gives no time of ${policy}.`)
  return timed.time.map(({ size, timeSaved, idealTimeSaved }) =>
    atLeast(
      `compare, 1 point to lose, ${policy}, at batch ${size}: timeSaved / idealTimeSaved`,
      timeSaved / idealTimeSaved,
      0.92,
      'printed',
    ),
  )
}

async function timePolicies(bundle: string, data: string, policies: readonly string[], rounds: number) {
  const options = ['--splits', '1', '--rounds', `${rounds}`, ...policies.flatMap((policy) => ['--policy', policy])]
  const { json } = await runSluice<Comparison>(['compare', bundle, '--data', data, ...options])
  for (const { policy, time } of json.policies) {
    process.stderr.write(`compare, time of ${policy}: ${JSON.stringify(time)}\n`)
  }
  return json.policies
}

function sumTimeSaved({ time = [] }: Comparison['policies'][number]): number {
  return time.reduce((sum, { timeSaved }) => sum + timeSaved, 0)
}
