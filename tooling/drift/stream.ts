import type { DriftAlarm, DriftMonitor } from '@sluice/calibration'
import { createRandom } from '@sluice/datasets'
import { drawRow, type Scenario } from './scenario.ts'
import type { SeverityCourse } from './settings.ts'

/** What became of one stream, up to its alarm or the end of the horizon. */
export interface StreamOutcome {
  readonly alarm: DriftAlarm | null
  readonly rows: number
  /** Rows of the stream, audited or not, whose answer differs from the full network's. */
  readonly disagreements: number
  /** Rows of the scenario's table that were audited, the oldest first. */
  readonly audited: readonly number[]
}

/** Rows that come in at once. */
const batchSize = 500

/** Streams a scenario past a monitor. */
export function streamScenario(
  monitor: DriftMonitor,
  { losses, mixAt }: Scenario,
  { severityAt }: SeverityCourse,
  seed: number,
): StreamOutcome {
  const random = createRandom(seed, 1)
  const audited: number[] = []
  let state = monitor.init(seed)
  let disagreements = 0
  while (state.alarm === null && state.rows < monitor.horizonRows) {
    const mixture = mixAt(severityAt(state.rows / monitor.horizonRows))
    const rows = Array.from({ length: batchSize }, () => drawRow(mixture, random))
    for (const row of rows) disagreements += losses[row] as number
    const selection = monitor.selectAudits(state, batchSize)
    const drawn = Array.from(selection.rows, (row) => rows[row] as number)
    audited.push(...drawn)
    state = monitor.update(
      selection.state,
      Uint8Array.from(drawn, (row) => losses[row] as number),
    )
  }
  return { alarm: state.alarm, rows: state.rows, disagreements, audited }
}
