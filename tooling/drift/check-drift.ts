import { type ExitCost, evaluateThresholds, type ScoreCache, selectCachedSamples } from '@sluice/calibration'
import type { PolicyFamily } from '@sluice/core'
import { calibrateGates, rowsBetween } from './calibrate-gates.ts'
import { checkAlarms } from './check-alarms.ts'
import { checkProposals } from './check-proposals.ts'
import { createScenarios, measureRisk } from './scenario.ts'
import { target } from './settings.ts'

/** Scores of labelled samples, and of the second half of them under each corruption, severities 1 to 5. */
export interface DriftScores {
  readonly clean: ScoreCache
  readonly corrupted: ReadonlyMap<string, readonly ScoreCache[]>
}

/** Calibrates gates on the first half of the samples, streams the second, and prints what came of it as Markdown. */
export function checkDrift(
  { clean, corrupted }: DriftScores,
  family: PolicyFamily,
  cost: ExitCost,
  print: (text: string) => void,
): boolean {
  const half = Math.floor(clean.final.rows / 2)
  const gates = calibrateGates(selectCachedSamples(clean, rowsBetween(0, half)), family, cost, target)
  const streamed = selectCachedSamples(clean, rowsBetween(half, clean.final.rows))
  const scenarios = createScenarios(streamed, corrupted, gates)

  const { saved } = evaluateThresholds(gates.createTable(streamed), gates.thresholds)
  print(`Clean, the gates save ${(100 * saved).toFixed(1)} % of the MACs.\n`)
  print('| disagreement at severity | 0 | 1 | 2 | 3 | 4 | 5 |\n|---|---|---|---|---|---|---|')
  for (const scenario of scenarios) {
    const risks = [0, 1, 2, 3, 4, 5].map((severity) => `${(100 * measureRisk(scenario, severity)).toFixed(1)} %`)
    print(`| ${scenario.name} | ${risks.join(' | ')} |`)
  }
  print('')
  const isKept = checkAlarms(scenarios, print)
  print('')
  checkProposals(scenarios, gates, print)
  return isKept
}
