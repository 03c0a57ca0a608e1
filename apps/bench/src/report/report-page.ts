import { formatThreshold } from './format-threshold.ts'
import { drawHtmlPage } from './html-page.ts'
import { drawLineChart } from './line-chart.ts'
import type { ExitExamples, ReportData } from './report-data.ts'
import { element, escapeMarkup } from './svg.ts'

/** The report as one HTML page that needs nothing else: no script, no network. */
export function drawReportPage(data: ReportData): string {
  const { name, point, classes } = data
  return drawHtmlPage({
    title: `${name}: early exits`,
    body: `<h1>${escapeMarkup(name)}</h1>
<p>${data.samples.toLocaleString('en')} samples of ${escapeMarkup(data.dataName)}, policy <b>${escapeMarkup(data.policy)}</b>.</p>
${drawFigures(point)}
<h2>Accuracy against MACs</h2>
${drawCurve(data)}
<h2>Where samples leave</h2>
${drawExitTable(data)}
<h2>Exits of each class</h2>
${drawClassTable(data.exitShares.length, classes)}
${drawAllExamples(data.examples)}
<footer>Made by sluice report. 1 MAC = 2 FLOPs; convolutions, matrix products and attention are counted.</footer>`,
    style,
  })
}

function drawFigures({ accuracy, fullAccuracy, drop, saved }: ReportData['point']): string {
  const figures = [
    ['accuracy', percent(accuracy)],
    ['full network', percent(fullAccuracy)],
    ['drop', `${drop.toFixed(2)} points`],
    ['MACs saved', percent(saved)],
  ] as const
  const cells = figures.map(([label, value]) => `<div><b>${value}</b><span>${label}</span></div>`)
  return `<div class="figures">${cells.join('')}</div>`
}

/** Operating points that lose much more than the bundle's would squeeze the interesting ones together. */
function selectShownPoints({ front, point }: ReportData) {
  const largestDrop = Math.max(5, 2 * point.drop)
  return front.filter(({ drop }) => drop <= largestDrop)
}

function drawCurve(data: ReportData): string {
  const { point, fullMacs } = data
  const megaMacs = (saved: number) => ((1 - saved) * fullMacs) / 1e6
  const toPoint = ({ saved, accuracy }: { saved: number; accuracy: number }) => ({
    x: megaMacs(saved),
    y: 100 * accuracy,
  })
  return drawLineChart({
    title: 'Accuracy against MACs per sample',
    xLabel: 'million MACs per sample',
    yLabel: 'accuracy (%)',
    series: [
      { name: 'other thresholds', color: '#3b82f6', points: selectShownPoints(data).map(toPoint) },
      {
        name: 'full network',
        color: '#888888',
        marker: true,
        points: [{ x: fullMacs / 1e6, y: 100 * point.fullAccuracy }],
      },
      { name: 'this bundle', color: '#f97316', marker: true, points: [toPoint(point)] },
    ],
  })
}

function drawExitTable({ exitShares, exitAccuracies, exitMacShares, point }: ReportData): string {
  const rows = exitShares.map((share, exit) => {
    const isLast = exit === exitShares.length - 1
    const threshold = point.thresholds[exit] ?? Number.POSITIVE_INFINITY
    const accuracy = exitAccuracies[exit] ?? null
    const cells = [
      isLast ? '' : formatThreshold(threshold, 3),
      percent(exitMacShares[exit] ?? 0),
      accuracy === null ? '-' : percent(accuracy),
      percent(share),
    ].map((cell) => `<td>${cell}</td>`)
    const label = isLast ? 'end of the network' : `exit ${exit}`
    return `<tr><th scope="row">${label}</th>${cells.join('')}<td class="bar">${bar(share)}</td></tr>`
  })
  const head = ['', 'threshold', 'MACs spent', 'accuracy', 'samples', ''].map((name) => `<th scope="col">${name}</th>`)
  return `<div class="wide"><table><tr>${head.join('')}</tr>${rows.join('')}</table></div>`
}

function drawClassTable(exitCount: number, classes: ReportData['classes']): string {
  const head = Array.from(
    { length: exitCount },
    (_, exit) => `<th scope="col">${exit === exitCount - 1 ? 'end' : `exit ${exit}`}</th>`,
  )
  const rows = classes.map(({ name, exitShares }) => {
    const cells = exitShares.map(
      (share) => `<td style="background:rgb(59 130 246 / ${share.toFixed(2)})">${percent(share)}</td>`,
    )
    return `<tr><th scope="row">${escapeMarkup(name)}</th>${cells.join('')}</tr>`
  })
  return `<div class="wide"><table><tr><th scope="col"></th>${head.join('')}</tr>${rows.join('')}</table></div>`
}

function drawAllExamples(examples: readonly ExitExamples[]): string {
  if (examples.length === 0) return ''
  return `<h2>Easiest and hardest images of each exit</h2>
<p>Easiest: furthest above the gate's threshold. Hardest: just above it. A red frame marks a wrong answer; under it the answer and, in brackets, the label.</p>
${examples.map(drawExamples).join('\n')}`
}

function drawExamples({ title, easiest, hardest }: ExitExamples): string {
  const strip = (label: string, images: ExitExamples['easiest']) =>
    `<div class="strip"><span>${label}</span>${images.map(drawImage).join('')}</div>`
  return `<h3>${escapeMarkup(title)}</h3>${strip('easiest', easiest)}${strip('hardest', hardest)}`
}

function drawImage({ uri, answer, label }: ExitExamples['easiest'][number]): string {
  const text = answer === label ? answer : `${answer}, really ${label}`
  const caption = answer === label ? answer : `${answer} (${label})`
  const picture = element('img', { src: uri, alt: text, title: text, class: answer === label ? 'right' : 'wrong' })
  return `<figure>${picture}<figcaption>${escapeMarkup(caption)}</figcaption></figure>`
}

function bar(share: number): string {
  return `<i style="width:${(100 * share).toFixed(1)}%"></i>`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}&nbsp;%`
}

const style = `
h3 { margin-bottom: .5rem }
td.bar { width: 35%; text-align: left }
td.bar i { display: block; height: .8rem; background: #3b82f6; border-radius: 2px }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem }
.figures b { display: block; font-size: 1.6rem }
.figures span, .strip > span { color: var(--muted) }
.strip { display: flex; flex-wrap: wrap; gap: .4rem; align-items: flex-start; margin-bottom: .8rem }
.strip > span { width: 4.5rem }
figure { margin: 0; width: 64px; font-size: .7rem; line-height: 1.3; text-align: center; overflow-wrap: anywhere }
img { width: 64px; height: 64px; object-fit: contain; image-rendering: pixelated; box-sizing: border-box }
img.wrong { border: 3px solid #dc2626 }
`
