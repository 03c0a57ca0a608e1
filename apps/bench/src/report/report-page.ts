import { drawLineChart } from './line-chart.ts'
import type { ExitExamples, ReportData } from './report-data.ts'
import { element, escapeMarkup } from './svg.ts'

/** The report as one HTML page that needs nothing else: no script, no network. */
export function drawReportPage(data: ReportData): string {
  const { name, point, classes } = data
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(name)}: early exits</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeMarkup(name)}</h1>
<p>${data.samples} samples of ${escapeMarkup(data.dataName)}, policy <b>${escapeMarkup(data.policy)}</b>.</p>
${drawFigures(point)}
<h2>Accuracy against MACs</h2>
${drawCurve(data)}
<h2>Where rows leave</h2>
${drawExitTable(data)}
<h2>Exits of each class</h2>
${drawClassTable(data.exitShares.length, classes)}
<h2>Easiest and hardest images of each exit</h2>
<p>Easiest: furthest above the gate's threshold. Hardest: just above it. A red frame marks a wrong answer.</p>
${data.examples.map(drawExamples).join('\n')}
<footer>Made by sluice report. 1 MAC = 2 FLOPs; convolutions, matrix products and attention are counted.</footer>
</body>
</html>
`
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

function drawCurve({ front, point, fullMacs }: ReportData): string {
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
      { name: 'all operating points', color: '#3b82f6', points: front.map(toPoint) },
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

function drawExitTable({ exitShares, exitAccuracies, exitMacShares }: ReportData): string {
  const rows = exitShares.map((share, exit) => {
    const last = exit === exitShares.length - 1
    const accuracy = exitAccuracies[exit]
    return `<tr><th>${last ? 'end of the network' : `exit ${exit}`}</th><td>${percent(exitMacShares[exit] ?? 0)}</td><td>${percent(share)}</td><td class="bar">${bar(share)}</td><td>${accuracy == null ? '-' : percent(accuracy)}</td></tr>`
  })
  return `<table><tr><th></th><td>MACs</td><td>rows</td><td></td><td>accuracy</td></tr>${rows.join('')}</table>`
}

function drawClassTable(exitCount: number, classes: ReportData['classes']): string {
  const head = Array.from(
    { length: exitCount },
    (_, exit) => `<td>${exit === exitCount - 1 ? 'end' : `exit ${exit}`}</td>`,
  )
  const rows = classes.map(({ name, exitShares }) => {
    const cells = exitShares.map(
      (share) => `<td style="background:rgb(59 130 246 / ${share.toFixed(2)})">${percent(share)}</td>`,
    )
    return `<tr><th>${escapeMarkup(name)}</th>${cells.join('')}</tr>`
  })
  return `<table class="heat"><tr><th></th>${head.join('')}</tr>${rows.join('')}</table>`
}

function drawExamples({ title, easiest, hardest }: ExitExamples): string {
  const strip = (label: string, images: ExitExamples['easiest']) =>
    `<div class="strip"><span>${label}</span>${images.map(drawImage).join('')}</div>`
  return `<h3>${escapeMarkup(title)}</h3>${strip('easiest', easiest)}${strip('hardest', hardest)}`
}

function drawImage({ uri, answer, label }: ExitExamples['easiest'][number]): string {
  const text = answer === label ? answer : `${answer}, really ${label}`
  const picture = element('img', { src: uri, alt: text, title: text, class: answer === label ? 'right' : 'wrong' })
  return `<figure>${picture}<figcaption>${escapeMarkup(answer)}</figcaption></figure>`
}

function bar(share: number): string {
  return `<i style="width:${(100 * share).toFixed(1)}%"></i>`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}&nbsp;%`
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th { text-align: left; font-weight: 500; padding-right: 1rem; white-space: nowrap }
td { text-align: right; padding: .15rem .5rem; white-space: nowrap }
td.bar { width: 45%; text-align: left }
td.bar i { display: block; height: .8rem; background: #3b82f6; border-radius: 2px }
.figures { display: flex; flex-wrap: wrap; gap: 2rem }
.figures b { display: block; font-size: 1.6rem }
.figures span, footer { color: #767676 }
.strip { display: flex; flex-wrap: wrap; gap: .4rem; align-items: flex-start }
.strip > span { width: 4.5rem; color: #767676 }
figure { margin: 0; width: 64px; font-size: .65rem; text-align: center; overflow-wrap: anywhere }
img { width: 64px; height: 64px; object-fit: contain; image-rendering: pixelated; box-sizing: border-box }
img.wrong { border: 3px solid #dc2626 }
footer { margin-top: 3rem; font-size: .85rem }
`
