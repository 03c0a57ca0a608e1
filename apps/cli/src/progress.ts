import type { ProgressEvent } from '@sluice/app-train'
import { Presets, SingleBar } from 'cli-progress'

export interface ProgressDisplay {
  readonly report: (event: ProgressEvent) => void
  /** Leaves the terminal in order; call it before anything else is printed. */
  readonly stop: () => void
}

/**
 * A bar with rate and remaining time on a terminal; otherwise a plain line per tenth of the work, though none within two
 * seconds of the one before but the last.
 */
export function createProgressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? createBar(stream) : createLines(stream)
}

/** Where a phase began: its first event may tell of work done before, e.g. when a pass is resumed. */
interface PhaseStart {
  readonly phase: string
  readonly done: number
  readonly startMs: number
}

function createBar(stream: NodeJS.WriteStream): ProgressDisplay {
  let bar: SingleBar | null = null
  let start: PhaseStart | null = null
  const stop = () => {
    bar?.stop()
    bar = null
    start = null
  }
  const open = (event: ProgressEvent): PhaseStart => {
    stop()
    const format = '{phase} [{bar}] {percentage}% | {value}/{total} {unit} | {rate}/s | {left} s left{detail}'
    bar = new SingleBar({ format, stream, hideCursor: true, barsize: 24 }, Presets.shades_classic)
    bar.start(event.total, event.done, { phase: event.phase, unit: event.unit, rate: '-', left: '-', detail: '' })
    return beginPhase(event)
  }
  return {
    report(event) {
      start = start?.phase === event.phase ? start : open(event)
      const { rate, left } = measureSpeed(start, event)
      bar?.update(event.done, { rate: formatRate(rate), left: left.toFixed(0), detail: formatDetail(event) })
      if (event.done >= event.total) stop()
    },
    stop,
  }
}

const leastMsBetweenLines = 2000

function createLines(stream: NodeJS.WriteStream): ProgressDisplay {
  let start: PhaseStart | null = null
  let lastTenth = 0
  let lastMs = 0
  return {
    report(event) {
      const { phase, done, total, unit } = event
      const tenth = Math.floor((10 * done) / total)
      if (start?.phase !== phase) {
        start = beginPhase(event)
        lastTenth = tenth
        lastMs = start.startMs
      }
      const nowMs = performance.now()
      if (tenth <= lastTenth || (done < total && nowMs < lastMs + leastMsBetweenLines)) return
      lastTenth = tenth
      lastMs = nowMs
      const { rate, left } = measureSpeed(start, event)
      const speed = `${formatRate(rate)}/s, ${left.toFixed(0)} s left`
      stream.write(`${phase}: ${done}/${total} ${unit}, ${speed}${formatDetail(event)}\n`)
    },
    stop() {},
  }
}

function beginPhase({ phase, done }: ProgressEvent): PhaseStart {
  return { phase, done, startMs: performance.now() }
}

/** Items per second since the phase began, and the seconds that the rest takes at that rate. */
function measureSpeed({ done: before, startMs }: PhaseStart, { done, total }: ProgressEvent) {
  const seconds = (performance.now() - startMs) / 1000
  const rate = seconds > 0 ? (done - before) / seconds : 0
  return { rate, left: rate > 0 ? (total - done) / rate : 0 }
}

function formatRate(rate: number): string {
  return rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)
}

function formatDetail({ detail }: ProgressEvent): string {
  return detail === undefined ? '' : ` | ${detail}`
}
