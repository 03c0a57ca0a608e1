import { InvalidArgumentError } from '@sluice/core'
import { checkGuarantee } from '../guarantee/p-value.ts'
import { selectRows } from './select-rows.ts'
import {
  checkEvidence,
  countMeanCapital,
  createDriftDetector,
  type DriftEvidence,
  estimateAge,
  noEvidence,
} from './shiryaev-roberts.ts'

/** What a monitor watches over, and how closely. */
export interface DriftMonitorOptions {
  /** The risk that was guaranteed, 0..1: the share of all rows that may have a loss. */
  readonly bound: number
  /** Chance that no alarm is raised within the horizon while the risk is at most the bound, 0..1. Default 0.95. */
  readonly confidence?: number
  /** Share of the rows that are audited, 0..1. Default 0.01. */
  readonly auditShare?: number
  /**
   * Rows for which `confidence` holds, counted from `init`. The default is that in which 40 audited losses are allowed,
   * `40 / (auditShare * bound)`: enough to find a risk of twice the bound within the horizon in 95 of 100 streams, for
   * bounds of a percent or so.
   */
  readonly horizonRows?: number
}

/** All that a monitor knows of a stream: plain data, kept by the caller, and the same after a trip through JSON. */
export interface DriftState {
  readonly seed: number
  /** Rows that audits have been drawn from. */
  readonly rows: number
  /** Audited rows whose loss is known. */
  readonly audited: number
  /** How many of these had a loss. */
  readonly losses: number
  /** What the audited rows say for an alarm, up to the first one. */
  readonly evidence: DriftEvidence
  /** Null while the guarantee stands; the first alarm stays. */
  readonly alarm: DriftAlarm | null
}

/** The risk is, or has been, greater than the bound. */
export interface DriftAlarm {
  /** `rows` of the state that raised it. */
  readonly rows: number
  /** How many of the last audited rows speak for it: the mean over possible beginnings, weighted by their evidence. */
  readonly recentAudits: number
}

/** The rows of a batch that are to be audited. */
export interface AuditSelection {
  /** Positions in the batch, ascending. */
  readonly rows: Uint32Array
  readonly state: DriftState
}

/**
 * Watches the risk of a gated network on a stream of rows by auditing a few of them. Pure: no clock, and no randomness
 * but that of the seed in the state.
 *
 * A row's loss is 1 where the guaranteed property fails, e.g. where the gated network's answer differs from the full
 * one's, and 0 for every row that reaches the end; so an audited row that left early is run to the end, and one that
 * reached it costs nothing. Policies that answer at the end otherwise than the network are not meant: a guarantee leaves
 * the end alone. Rows may come late or out of order, but which of them are reported must not depend on
 * their losses.
 */
export interface DriftMonitor {
  readonly auditShare: number
  readonly horizonRows: number
  /**
   * The state before the first row, and again under new thresholds.
   * @param seed whole number >= 0; its last 32 bits count
   * @throws InvalidArgumentError for another seed
   */
  init(seed: number): DriftState
  /**
   * Draws the rows of the stream's next batch that are to be audited, wherever they leave.
   * @throws InvalidArgumentError unless `batchSize` is a whole number >= 0
   */
  selectAudits(state: DriftState, batchSize: number): AuditSelection
  /**
   * Takes the losses of audited rows, 0 or 1 each, in the order of the stream; zero rows are fine. After an alarm only
   * the counts go on.
   * @throws InvalidArgumentError for any other value, or a state of another release
   */
  update(state: DriftState, losses: Uint8Array): DriftState
}

/**
 * Creates a monitor that raises an alarm when the risk has risen above its bound, be it from the first row or any later
 * one (`createDriftDetector`). While it has not, the evidence grows by at most 1 per audited row on average; so the chance
 * that it reaches `auditShare * horizonRows / (1 - confidence)` within the horizon is at most `1 - confidence`, and false
 * alarms are `horizonRows / (1 - confidence)` rows apart on average, or more.
 *
 * @throws InvalidArgumentError for a bound, confidence, share or horizon out of its range
 */
export function createDriftMonitor(options: DriftMonitorOptions): DriftMonitor {
  const { bound, confidence = 0.95, auditShare = 0.01 } = options
  checkGuarantee({ bound, confidence })
  if (!(auditShare > 0 && auditShare <= 1)) {
    throw new InvalidArgumentError(`The share of audited rows is ${auditShare}; pass one in 0..1 and not 0, e.g. 0.01.`)
  }
  const { horizonRows = Math.ceil(40 / (auditShare * bound)) } = options
  checkCount('horizonRows', horizonRows, 1)
  const capitalOfAlarm = (auditShare * horizonRows) / (1 - confidence)
  const addLoss = createDriftDetector(bound)

  function audit(state: DriftState, loss: number): DriftState {
    const counted = { ...state, audited: state.audited + 1, losses: state.losses + loss }
    if (state.alarm !== null) return counted
    const evidence = addLoss(state.evidence, loss)
    const isAlarm = countMeanCapital(evidence) >= capitalOfAlarm
    const alarm = isAlarm ? { rows: state.rows, recentAudits: Math.ceil(estimateAge(evidence)) } : null
    return { ...counted, evidence, alarm }
  }

  return {
    auditShare,
    horizonRows,
    init(seed) {
      checkCount('seed', seed, 0)
      return { seed, rows: 0, audited: 0, losses: 0, evidence: noEvidence, alarm: null }
    },
    selectAudits(state, batchSize) {
      checkCount('batchSize', batchSize, 0)
      const rows = selectRows(state.seed, state.rows, batchSize, auditShare)
      return { rows, state: { ...state, rows: state.rows + batchSize } }
    },
    update(state, losses) {
      checkEvidence(state.evidence)
      const row = losses.findIndex((loss) => loss > 1)
      if (row >= 0) throw new InvalidArgumentError(`The loss of audited row ${row} is ${losses[row]}; pass 0 or 1.`)
      return losses.reduce(audit, state)
    },
  }
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new InvalidArgumentError(`${name} is ${value}; pass a whole number >= ${least}.`)
}
