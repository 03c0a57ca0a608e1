import { createDriftMonitor, type DriftMonitor } from '@sluice/calibration'
import { measureRisk, type Scenario } from './scenario.ts'
import { clean, courses, horizonRows, runs, type SeverityCourse, target } from './settings.ts'
import { streamScenario } from './stream.ts'

/**
 * Runs every scenario past monitors of three audit shares and prints a Markdown table of their alarms.
 *
 * @returns whether at least 95 of 100 clean runs were silent and no run spent twice what is allowed before its alarm
 */
export function checkAlarms(scenarios: readonly Scenario[], print: (text: string) => void): boolean {
  print(
    '| audited | stream | spent unwatched | alarms | rows until it, median | spent, most | mean risk served, most |',
  )
  print('|---|---|---|---|---|---|---|')
  const kept = [0.01, 0.02, 0.05].flatMap((auditShare) => {
    const monitor = createDriftMonitor({ ...target, auditShare, horizonRows })
    return scenarios.flatMap((scenario, index) =>
      (index === 0 ? [clean, ...courses] : courses).map((course) => checkStreams(monitor, scenario, course, print)),
    )
  })
  return kept.every(Boolean)
}

function checkStreams(
  monitor: DriftMonitor,
  scenario: Scenario,
  course: SeverityCourse,
  print: (text: string) => void,
): boolean {
  const outcomes = Array.from({ length: runs }, (_, seed) => streamScenario(monitor, scenario, course, seed))
  const alarms = outcomes.filter(({ alarm }) => alarm !== null)
  const risks = Array.from({ length: 100 }, (_, step) => measureRisk(scenario, course.severityAt(step / 100)))
  const unwatched = risks.reduce((sum, risk) => sum + risk, 0) / risks.length / target.bound
  const change = (risks.findIndex((risk) => risk > target.bound) / 100) * horizonRows
  const delays = alarms.map(({ rows }) => rows - change).sort((a, b) => a - b)
  const spent = Math.max(...outcomes.map(({ disagreements }) => disagreements / (target.bound * horizonRows)))
  const served = Math.max(...outcomes.map(({ disagreements, rows }) => disagreements / rows))
  const columns = [
    percent(monitor.auditShare),
    course === clean ? 'clean' : `${scenario.name} ${course.name}`,
    times(unwatched),
    alarms.length,
    delays[Math.floor(delays.length / 2)] ?? '',
    times(spent),
    percent(served),
  ]
  print(`| ${columns.join(' | ')} |`)
  return spent < 2 && (course !== clean || alarms.length <= runs / 20)
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const times = (factor: number) => `${factor.toFixed(2)} x`
