import { Presets, SingleBar } from 'cli-progress'

/** Told by long work how far it is. `unit` names what is counted, e.g. `images`. */
export interface ProgressEvent {
  readonly phase: string
  readonly done: number
  readonly total: number
  readonly unit: string
}

export interface ProgressDisplay {
  readonly report: (event: ProgressEvent) => void
  /** Leaves the terminal in order; call it before anything else is printed. */
  readonly stop: () => void
}

/** A bar with rate and remaining time on a terminal, a plain line per tenth of the work otherwise. */
export function createProgressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? createBar(stream) : createLines(stream)
}

function createBar(stream: NodeJS.WriteStream): ProgressDisplay {
  let bar: SingleBar | null = null
  let phase = ''
  let startMs = 0
  const stop = () => {
    bar?.stop()
    bar = null
    phase = ''
  }
  const start = (event: ProgressEvent) => {
    stop()
    phase = event.phase
    startMs = performance.now()
    const format = '{phase} [{bar}] {percentage}% | {value}/{total} {unit} | {rate}/s | {eta_formatted} left'
    bar = new SingleBar({ format, stream, hideCursor: true, barsize: 24 }, Presets.shades_classic)
    bar.start(event.total, 0, { phase, unit: event.unit, rate: '-' })
  }
  return {
    report(event) {
      if (event.phase !== phase) start(event)
      bar?.update(event.done, { rate: formatRate(event.done, performance.now() - startMs) })
      if (event.done >= event.total) stop()
    },
    stop,
  }
}

function createLines(stream: NodeJS.WriteStream): ProgressDisplay {
  let phase = ''
  let lastTenth = 0
  let startMs = 0
  return {
    report({ phase: current, done, total, unit }) {
      if (current !== phase) {
        phase = current
        lastTenth = 0
        startMs = performance.now()
      }
      const tenth = total === 0 ? 10 : Math.floor((10 * done) / total)
      if (tenth <= lastTenth) return
      lastTenth = tenth
      const seconds = (performance.now() - startMs) / 1000
      const left = done === 0 ? 0 : (seconds * (total - done)) / done
      const rate = formatRate(done, seconds * 1000)
      stream.write(`${phase}: ${done}/${total} ${unit}, ${rate}/s, ${left.toFixed(0)} s left\n`)
    },
    stop() {},
  }
}

function formatRate(done: number, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (1000 * done) / elapsedMs : 0
  return rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)
}
