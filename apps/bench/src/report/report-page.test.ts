import { describe, expect, it } from 'vitest'
import type { ReportData } from './report-data.ts'
import { drawReportPage } from './report-page.ts'

const point = (saved: number, accuracy: number) => ({
  thresholds: [0.75, Number.POSITIVE_INFINITY],
  accuracy,
  fullAccuracy: 0.9,
  drop: 100 * (0.9 - accuracy),
  dropStandardError: 0.1,
  cost: 1e6 * (1 - saved),
  fullCost: 1e6,
  saved,
  exitShares: [0.6, 0, 0.4],
})

const data: ReportData = {
  name: 'tiny <net>',
  dataName: 'drawn & named',
  samples: 1234,
  policy: 'softmax',
  fullMacs: 1e6,
  point: point(0.4, 0.89),
  front: [point(0.1, 0.9), point(0.4, 0.89), point(0.6, 0.87), point(0.9, 0.3)],
  exitShares: [0.6, 0, 0.4],
  exitAccuracies: [0.95, null, 0.8],
  exitMacShares: [0.25, 0.5, 1.01],
  classes: [
    { name: '<script>alert("x")</script>', exitShares: [0.5, 0, 0.5] },
    { name: 'dog', exitShares: [0.7, 0, 0.3] },
  ],
  examples: [
    {
      title: 'Exit 0: 740 images',
      easiest: [{ uri: 'data:image/png;base64,AAAA', answer: 'dog', label: 'dog' }],
      hardest: [{ uri: 'data:image/png;base64,BBBB', answer: 'dog', label: 'cat "&" co' }],
    },
  ],
}

const page = drawReportPage(data)

describe('drawReportPage', () => {
  it('needs nothing from elsewhere: no address, no script', () => {
    expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|<script|<link|@import|url\(/)
    expect(page.match(/ src="([^"]*)"/g)).toEqual([
      ' src="data:image/png;base64,AAAA"',
      ' src="data:image/png;base64,BBBB"',
    ])
  })

  it('escapes what comes from names', () => {
    expect(page).toContain('<h1>tiny &#60;net&#62;</h1>')
    expect(page).toContain('of drawn &#38; named,')
    expect(page).toContain('&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62;')
    expect(page).toContain('title="dog, really cat &#34;&#38;&#34; co"')
  })

  it('shows the figures, and each exit with threshold, MACs, accuracy and share', () => {
    expect(page).toContain('1,234 samples')
    expect(page).toMatch(/<b>89\.0&nbsp;%<\/b><span>accuracy<.*<b>1\.00 points<\/b><span>drop<.*<b>40\.0&nbsp;%<\/b>/)
    const rows = [...page.matchAll(/<tr><th scope="row">(.*?)<\/tr>/g)].map(([, row = '']) =>
      row
        .replaceAll('&nbsp;', ' ')
        .replace(/<[^>]*>+/g, '|')
        .replace(/\|+/g, '|'),
    )
    expect(rows.slice(0, 3)).toEqual([
      'exit 0|0.750|25.0 %|95.0 %|60.0 %|',
      'exit 1|off|50.0 %|-|0.0 %|',
      'end of the network|101.0 %|80.0 %|40.0 %|',
    ])
    expect(rows[4]).toBe('dog|70.0 %|0.0 %|30.0 %|')
  })

  it('draws the curve with its axes named, without points that lose far more than the bundle', () => {
    expect(page).toContain('>million MACs per sample</text>')
    expect(page).toContain('>accuracy (%)</text>')
    const [, path = ''] = /<path d="([^"]*)"/.exec(page) ?? []
    expect(path.match(/[ML]/g)).toHaveLength(3)
    expect(page.match(/<circle/g)).toHaveLength(2)
  })

  it('frames wrong answers and leaves the section out where there are no images', () => {
    expect(page.match(/class="wrong"/g)).toHaveLength(1)
    expect(page).toContain('<figcaption>dog (cat &#34;&#38;&#34; co)</figcaption>')
    expect(drawReportPage({ ...data, examples: [] })).not.toContain('Easiest')
  })
})
