import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import { defaultFrame, element, escapeMarkup, type Frame } from './svg.ts'

export interface ChartPoint {
  readonly x: number
  readonly y: number
}

/** One curve or, with `marker`, single points. `color` is any CSS colour. */
export interface ChartSeries {
  readonly name: string
  readonly points: readonly ChartPoint[]
  readonly color: string
  readonly marker?: boolean
}

export interface LineChart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly ChartSeries[]
  /** Corner on the right where the names stand; `bottom` when absent. */
  readonly legend?: 'top' | 'bottom'
}

/** Colours that tell curves apart on light and dark pages. */
export const seriesColors: readonly string[] = [
  '#3b82f6',
  '#f97316',
  '#16a34a',
  '#a855f7',
  '#dc2626',
  '#0891b2',
  '#ca8a04',
  '#db2777',
  '#65a30d',
  '#6366f1',
  '#b45309',
  '#14b8a6',
]

type Scale = (value: number) => number

/**
 * A line chart as a stand-alone SVG that reads on light and dark pages. Both axes fit the data.
 * @param chart at least one point in one series
 */
export function drawLineChart(chart: LineChart, frame: Frame = defaultFrame): string {
  const points = chart.series.flatMap((series) => series.points)
  const xs = scaleLinear(extent(points.map(({ x }) => x)), [frame.left, frame.width - frame.right]).nice()
  const ys = scaleLinear(extent(points.map(({ y }) => y)), [frame.height - frame.bottom, frame.top]).nice()
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${frame.width} ${frame.height}`,
      width: frame.width,
      height: frame.height,
      role: 'img',
      'aria-label': chart.title,
      'font-family': 'system-ui, sans-serif',
      'font-size': 12,
      fill: '#767676',
    },
    [
      element('title', {}, [escapeMarkup(chart.title)]),
      ...xs.ticks(7).map((tick) => drawVerticalTick(tick, xs, frame)),
      ...ys.ticks(6).map((tick) => drawHorizontalTick(tick, ys, frame)),
      drawAxisLabels(chart, frame),
      ...chart.series.map((series) => drawSeries(series, xs, ys)),
      ...chart.series.map((series, index) => drawLegendEntry(series, index, chart.legend ?? 'bottom', frame)),
    ],
  )
}

function drawVerticalTick(tick: number, scale: Scale, { height, bottom, top }: Frame): string {
  const x = scale(tick)
  const rule = element('line', { x1: x, x2: x, y1: top, y2: height - bottom, stroke: '#8884' })
  return rule + element('text', { x, y: height - bottom + 18, 'text-anchor': 'middle' }, [String(tick)])
}

function drawHorizontalTick(tick: number, scale: Scale, { left, width, right }: Frame): string {
  const y = scale(tick)
  const rule = element('line', { x1: left, x2: width - right, y1: y, y2: y, stroke: '#8884' })
  return rule + element('text', { x: left - 8, y: y + 4, 'text-anchor': 'end' }, [String(tick)])
}

function drawAxisLabels({ xLabel, yLabel }: LineChart, { width, height, left, right, bottom, top }: Frame): string {
  const centre = (left + width - right) / 2
  const middle = (top + height - bottom) / 2
  const turned = { x: 16, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 16 ${middle})` }
  return (
    element('text', { x: centre, y: height - 12, 'text-anchor': 'middle' }, [escapeMarkup(xLabel)]) +
    element('text', turned, [escapeMarkup(yLabel)])
  )
}

function drawSeries({ points, color, marker, name }: ChartSeries, xs: Scale, ys: Scale): string {
  const label = element('title', {}, [escapeMarkup(name)])
  if (marker === true) {
    const dots = points.map(({ x, y }) => element('circle', { cx: xs(x), cy: ys(y), r: 5, fill: color }, [label]))
    return dots.join('')
  }
  const path = line<ChartPoint>(
    ({ x }) => xs(x),
    ({ y }) => ys(y),
  )([...points])
  return element('path', { d: path ?? '', fill: 'none', stroke: color, 'stroke-width': 2 }, [label])
}

function drawLegendEntry(
  { name, color }: ChartSeries,
  index: number,
  legend: 'top' | 'bottom',
  { width, right, height, top, bottom }: Frame,
): string {
  const y = legend === 'top' ? top + 14 + 18 * index : height - bottom - 14 - 18 * index
  const swatch = element('rect', { x: width - right - 12, y: y - 9, width: 10, height: 10, fill: color })
  return swatch + element('text', { x: width - right - 18, y, 'text-anchor': 'end' }, [escapeMarkup(name)])
}

function extent(values: readonly number[]): [number, number] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  return low === high ? [low - 0.5, high + 0.5] : [low, high]
}
