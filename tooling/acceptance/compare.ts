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

/** What the best policy saves at each target, medians over ten splits of the data in halves. */
export async function checkComparison(bundle: string, data: string): Promise<AcceptanceRow[]> {
  const { json } = await runSluice<Comparison>(['compare', bundle, '--data', data, '--no-time'])
  return [...targets].flatMap(([maxDrop, macsSaved]) => {
    const { policy, saved, drop } = findBest(json, maxDrop)
    const what = `compare, ${maxDrop} points to lose, best policy (${policy})`
    return [
      atLeast(`${what}: MACs saved`, saved, macsSaved, 'printed'),
      atMost(`${what}: drop on the unseen half`, drop, maxDrop + tolerance, 'printed', ' points'),
    ]
  })
}

/** The policy that saves most, of those that keep to the drop where any does. */
function findBest({ policies }: Comparison, maxDrop: number) {
  const figures = policies.flatMap(({ policy, atDrop }) =>
    atDrop
      .filter((at) => at.maxDrop === maxDrop)
      .map(({ macsSaved, drop }) => ({ policy, saved: macsSaved.median, drop: drop.median })),
  )
  const within = figures.filter(({ drop }) => drop <= maxDrop + tolerance)
  return (within.length > 0 ? within : figures).reduce((a, b) => (b.saved > a.saved ? b : a))
}
