import type { Estimate } from './bootstrap.ts'
import type { Comparison, PolicyComparison } from './comparison.ts'

/** A table of text; the first column names the policy. */
export interface TextTable {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a comparison rests on, in sentences. */
export function explainComparison(comparison: Comparison): string[] {
  const { data, samples, splits, seed, intervals, fullAccuracy, fullMacs, policies } = comparison
  const count = (value: number) => value.toLocaleString('en')
  return [
    `${count(samples)} samples of ${data}, ${splits} random splits in halves (seed ${seed}): gates and thresholds are chosen on one half and judged on the other. Figures are medians over the splits.`,
    `In brackets ${100 * intervals.confidence} % bootstrap intervals: the samples are drawn again ${count(intervals.resamples)} times, with replacement; what was chosen stays.`,
    `The full network costs ${(fullMacs / 1e6).toFixed(1)} million MACs and is right on ${formatEstimate(fullAccuracy, formatPercent)}.`,
    `Where policies come from: ${listSources(policies)}.`,
  ]
}

function listSources(policies: readonly PolicyComparison[]): string {
  return policies.map(({ policy, source }) => `${policy}: ${source ?? 'without a paper'}`).join('; ')
}

/** All figures of a comparison as tables. */
export function listTables(comparison: Comparison): TextTable[] {
  const { policies } = comparison
  const [first] = policies
  if (first === undefined) return []
  const targets = first.atDrop.map(({ maxDrop }) => `${maxDrop} ${maxDrop === 1 ? 'point' : 'points'}`)
  return [
    {
      title: 'MACs saved where so many points may be lost',
      head: ['policy', ...targets],
      rows: policies.map(({ policy, atDrop }) => [
        policy,
        ...atDrop.map(({ macsSaved }) => formatEstimate(macsSaved, formatPercent)),
      ]),
    },
    {
      title: 'Points lost on the judged half where so many may be',
      head: ['policy', ...targets],
      rows: policies.map(({ policy, atDrop }) => [
        policy,
        ...atDrop.map(({ drop }) => formatEstimate(drop, (points) => points.toFixed(2))),
      ]),
    },
    {
      title: 'Accuracy within a share of the MACs, and area under the curve',
      head: ['policy', ...first.atShare.map(({ share }) => formatPercent(share, 0)), describeRange(comparison)],
      rows: policies.map(({ policy, atShare, area }) => [
        policy,
        ...atShare.map(({ accuracy }) => (accuracy === null ? '-' : formatEstimate(accuracy, formatPercent))),
        formatEstimate(area, formatPercent),
      ]),
    },
    ...listTimeTables(policies),
  ]
}

function describeRange({ leastShare }: Comparison): string {
  return `area from ${formatPercent(leastShare)} to 100 %`
}

function listTimeTables(policies: readonly PolicyComparison[]): TextTable[] {
  const timed = policies.flatMap(({ policy, time }) => (time === undefined ? [] : { policy, time }))
  const [first] = timed
  if (first === undefined) return []
  return [
    {
      title: "Time saved with the first split's choice for one point, of what the same exits would ideally save",
      head: ['policy', ...first.time.map(({ size }) => `batch ${size}`)],
      rows: timed.map(({ policy, time }) => [
        policy,
        ...time.map(
          ({ timeSaved, idealTimeSaved }) => `${formatPercent(timeSaved)} of ${formatPercent(idealTimeSaved)}`,
        ),
      ]),
    },
  ]
}

function formatPercent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`
}

/** Median and interval; the unit stands once. */
function formatEstimate({ median, low, high }: Estimate, format: (value: number) => string): string {
  const bare = (value: number) => format(value).replace(' %', '')
  return `${format(median)} [${bare(low)}, ${bare(high)}]`
}
