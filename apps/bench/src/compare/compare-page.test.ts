import { describe, expect, it } from 'vitest'
import { formatComparison } from './compare-markdown.ts'
import { drawComparisonPage } from './compare-page.ts'
import type { Comparison, PolicyComparison } from './comparison.ts'

const estimate = (median: number, width: number) => ({ median, low: median - width, high: median + width })
const times = { median: 1, min: 1, max: 1 }
const batch = { full: times, gated: times, noExit: times, macsSaved: 0.5, overhead: 0.01 }

const softmax: PolicyComparison = {
  policy: 'softmax',
  source: 'SDN, arXiv 1810.07052',
  atDrop: [
    { maxDrop: 0.5, macsSaved: estimate(0.4, 0.01), drop: estimate(0.45, 0.2) },
    { maxDrop: 1, macsSaved: estimate(0.5, 0.01), drop: estimate(-0.1, 0.3) },
  ],
  atShare: [
    { share: 0.25, accuracy: null, macsShare: null },
    { share: 0.5, accuracy: estimate(0.91, 0.005), macsShare: estimate(0.5, 0.01) },
  ],
  area: estimate(0.92, 0.004),
  curve: [
    { budget: 0.3, macsShare: 0.3, accuracy: 0.7 },
    { budget: 0.5, macsShare: 0.5, accuracy: 0.91 },
    { budget: 1, macsShare: 0.8, accuracy: 0.935 },
  ],
}

const comparison: Comparison = {
  name: 'tiny <net>',
  data: 'drawn & named',
  samples: 1234,
  splits: 10,
  seed: 3,
  intervals: { resamples: 1000, confidence: 0.95 },
  fullMacs: 2.5e6,
  fullAccuracy: estimate(0.93, 0.01),
  leastShare: 0.305,
  policies: [softmax, { ...softmax, policy: 'own', source: null }],
}

const timed: Comparison = {
  ...comparison,
  policies: comparison.policies.map((policy) => ({
    ...policy,
    time: [{ ...batch, size: 16, timeSaved: 0.35, idealTimeSaved: 0.38 }],
  })),
}

describe('formatComparison', () => {
  it('says in sentences what was compared, and gives every figure with its interval', () => {
    const text = formatComparison(comparison)
    expect(text).toContain('# Exit policies on tiny <net>\n\n1,234 samples of drawn & named, 10 random splits')
    expect(text).toContain('is right on 93.0 % [92.0, 94.0].')
    expect(text).toContain('softmax: SDN, arXiv 1810.07052; own: without a paper.')
    expect(text).toContain('| policy | 0.5 points | 1 point |\n| --- | --- | --- |\n')
    expect(text).toContain('| softmax | 40.0 % [39.0, 41.0] | 50.0 % [49.0, 51.0] |')
    expect(text).toContain('| own | 0.45 [0.25, 0.65] | -0.10 [-0.40, 0.20] |')
    expect(text).toContain('| policy | 25 % | 50 % | area from 30.5 % to 100 % |')
    expect(text).toContain('| softmax | - | 91.0 % [90.5, 91.5] | 92.0 % [91.6, 92.4] |')
  })

  it('has times where the clock was asked', () => {
    expect(formatComparison(comparison)).not.toContain('Time saved')
    expect(formatComparison(timed)).toContain('| policy | batch 16 |\n| --- | --- |\n| softmax | 35.0 % of 38.0 % |')
  })
})

describe('drawComparisonPage', () => {
  const page = drawComparisonPage(timed)

  it('needs nothing from elsewhere, escapes names, and follows dark mode', () => {
    expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|<script|<link|@import|url\(/)
    expect(page).toContain('<h1>Exit policies on tiny &#60;net&#62;</h1>')
    expect(page).toContain('of drawn &#38; named, 10 random splits')
    expect(page).toContain('color-scheme: light dark')
  })

  it('draws a curve for each policy, without points that lose over ten points, and the full network', () => {
    const paths = [...page.matchAll(/<path d="([^"]*)"[^>]*stroke="([^"]*)"/g)]
    expect(paths).toHaveLength(2)
    expect(new Set(paths.map(([, , color]) => color)).size).toBe(2)
    for (const [, path] of paths) expect(path?.match(/[ML]/g)).toHaveLength(2)
    expect(page.match(/<circle/g)).toHaveLength(1)
  })

  it('has every figure of the Markdown', () => {
    const cells = [...formatComparison(timed).matchAll(/(?<=\| )[-\d][^|]*(?= \|)/g)].map(([cell]) => cell)
    expect(cells.length).toBeGreaterThan(12)
    for (const cell of cells.filter((text) => text !== '---')) expect(page).toContain(`>${cell}<`)
  })
})
