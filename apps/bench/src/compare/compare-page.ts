import { drawHtmlPage } from '../report/html-page.ts'
import { drawLineChart, seriesColors } from '../report/line-chart.ts'
import { defaultFrame, escapeMarkup } from '../report/svg.ts'
import { explainComparison, listTables, type TextTable } from './compare-tables.ts'
import type { Comparison } from './comparison.ts'

/** A comparison as one HTML page with its curves; it needs nothing else. */
export function drawComparisonPage(comparison: Comparison): string {
  const title = `Exit policies on ${comparison.name}`
  return drawHtmlPage({
    title,
    body: `<h1>${escapeMarkup(title)}</h1>
${explainComparison(comparison)
  .map((sentence) => `<p>${escapeMarkup(sentence)}</p>`)
  .join('\n')}
<h2>Accuracy against MACs</h2>
${drawCurves(comparison)}
${listTables(comparison).map(drawTable).join('\n')}
<footer>Made by sluice compare. 1 MAC = 2 FLOPs; convolutions, matrix products and attention are counted, heads included.</footer>`,
    style: 'th[scope=col]:first-child { text-align: left; padding-left: 0 }',
  })
}

/** Beyond so many points lost nobody operates a network, and the rest would be squeezed together. */
const largestDrop = 10

function drawCurves({ policies, fullAccuracy }: Comparison): string {
  const curves = policies.map(({ policy, curve }, index) => ({
    name: policy,
    color: seriesColors[index % seriesColors.length] as string,
    points: curve
      .map(({ macsShare, accuracy }) => ({ x: 100 * macsShare, y: 100 * accuracy }))
      .filter(({ y }) => y >= 100 * fullAccuracy.median - largestDrop),
  }))
  const full = {
    name: 'full network',
    color: '#888888',
    marker: true,
    points: [{ x: 100, y: 100 * fullAccuracy.median }],
  }
  return drawLineChart(
    {
      title: 'Accuracy against the share of the MACs spent',
      xLabel: 'MACs (% of the full network)',
      yLabel: 'accuracy (%)',
      series: [...curves, full],
    },
    { ...defaultFrame, height: 460 },
  )
}

function drawTable({ title, head, rows }: TextTable): string {
  const columns = head.map((name) => `<th scope="col">${escapeMarkup(name)}</th>`)
  const lines = rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`)
    return `<tr><th scope="row">${escapeMarkup(name)}</th>${values.join('')}</tr>`
  })
  return `<h2>${escapeMarkup(title)}</h2>
<div class="wide"><table><tr>${columns.join('')}</tr>${lines.join('')}</table></div>`
}
