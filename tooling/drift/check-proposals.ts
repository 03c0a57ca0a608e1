import {
  createDriftMonitor,
  type ExitTable,
  evaluateThresholds,
  proposeSaferThresholds,
  selectSamples,
} from '@sluice/calibration'
import { createRandom, type Random } from '@sluice/datasets'
import type { CalibratedGates } from './calibrate-gates.ts'
import { drawRow, type Scenario } from './scenario.ts'
import { courses, horizonRows, runs, type SeverityCourse, target } from './settings.ts'
import { streamScenario } from './stream.ts'

/** What thresholds do to the rows that come at one severity. */
interface Judgement {
  /** Share of rows whose answer differs from the full network's. */
  readonly risk: number
  readonly saved: number
}

/** The thresholds in force at an alarm, those proposed from its audits, and those from 500 rows that follow it. */
type Outcome = readonly [inForce: Judgement, atOnce: Judgement, afterwards: Judgement]

/** Judges what is proposed after an alarm on rows of the severity at which it was raised; prints a Markdown table. */
export function checkProposals(
  scenarios: readonly Scenario[],
  gates: CalibratedGates,
  print: (text: string) => void,
): void {
  print('| stream | in force: risk, saved | at once: risk, saved | after 500 rows: risk, saved | over the bound |')
  print('|---|---|---|---|---|')
  for (const scenario of scenarios) {
    for (const course of courses) {
      const outcomes = Array.from({ length: runs }, (_, seed) => propose(scenario, gates, course, seed)).flat()
      const columns = [0, 1, 2].map((index) => describe(outcomes.map((outcome) => outcome[index] as Judgement)))
      const over = outcomes.filter(([, , { risk }]) => risk > target.bound).length
      print(`| ${scenario.name} ${course.name} | ${columns.join(' | ')} | ${over} of ${outcomes.length} |`)
    }
  }
}

/** Nothing where there was no alarm. */
function propose(
  scenario: Scenario,
  { path, thresholds }: CalibratedGates,
  course: SeverityCourse,
  seed: number,
): Outcome[] {
  const monitor = createDriftMonitor({ ...target, horizonRows })
  const { alarm, audited } = streamScenario(monitor, scenario, course, seed)
  if (alarm === null) return []
  const random = createRandom(seed, 3)
  const severity = course.severityAt(alarm.rows / horizonRows)
  const judged = drawTable(scenario, severity, 10_000, random)
  const judge = (values: readonly number[]) => {
    const { accuracy, saved } = evaluateThresholds(judged, values)
    return { risk: 1 - accuracy, saved }
  }
  const recent = selectSamples(scenario.table, Uint32Array.from(audited.slice(-alarm.recentAudits)))
  const following = drawTable(scenario, severity, 500, random)
  const atOnce = proposeSaferThresholds(recent, path, { thresholds, bound: target.bound })
  const afterwards = proposeSaferThresholds(following, path, { thresholds, ...target })
  return [[judge(thresholds), judge(atOnce.thresholds), judge(afterwards.thresholds)]]
}

function drawTable({ table, mixAt }: Scenario, severity: number, rows: number, random: Random): ExitTable {
  const mixture = mixAt(severity)
  return selectSamples(
    table,
    Uint32Array.from({ length: rows }, () => drawRow(mixture, random)),
  )
}

function describe(judgements: readonly Judgement[]): string {
  const mean = (values: readonly number[]) => (100 * values.reduce((sum, value) => sum + value, 0)) / values.length
  const risk = mean(judgements.map((judgement) => judgement.risk))
  const saved = mean(judgements.map((judgement) => judgement.saved))
  return `${risk.toFixed(1)} %, ${saved.toFixed(1)} %`
}
