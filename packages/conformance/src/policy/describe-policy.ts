import type { ExitPolicy, PolicyFamily } from '@sluice/core'
import { describe } from 'vitest'
import { type BoundCase, bindCases, registerCases, type SkippedTest } from '../suite.ts'
import { answerCases } from './answer-cases.ts'
import { decisionCases } from './decision-cases.ts'
import { endCases } from './end-cases.ts'
import { expressionCases } from './expression-cases.ts'
import type { FamilyContext } from './family-context.ts'
import { fitCases } from './fit-cases.ts'
import { runnerCases } from './runner-cases.ts'
import { scoreCases } from './score-cases.ts'
import { createFittedPolicy } from './score-samples.ts'

const familyCases = [...fitCases, ...scoreCases, ...answerCases, ...endCases, ...expressionCases, ...runnerCases]

/** What the suite shows the policy, and how long it runs. */
export interface PolicySuiteOptions {
  /** Numbers of classes; 1, 2 and 10 when absent. */
  readonly classCounts?: readonly number[]
  /** Number of gates; 3 when absent. */
  readonly gateCount?: number
  /** Random score sets per property; 50 when absent. */
  readonly runs?: number
  readonly skip?: readonly SkippedTest[]
}

/**
 * Registers the suite that every exit policy passes, inside a vitest test file. A family is tested by its scores and as
 * the threshold policy made of them; a policy of one's own, given by a function that creates it, by its decisions.
 */
export function describePolicy(
  name: string,
  policy: PolicyFamily | (() => ExitPolicy),
  { classCounts = [1, 2, 10], gateCount = 3, runs = 50, skip = [] }: PolicySuiteOptions = {},
): void {
  const options = { classCounts, gateCount, runs }
  const cases =
    typeof policy === 'function'
      ? bindCases(decisionCases, { ...options, createPolicy: policy })
      : bindFamilyCases({ ...options, family: policy })
  describe(`${name} as an exit policy`, () => registerCases(cases, skip))
}

/** The cases on a family, and those on the threshold policy that it makes. */
export function bindFamilyCases(context: FamilyContext): BoundCase[] {
  const { family, gateCount } = context
  const createPolicy = (classCount: number) => createFittedPolicy(family, classCount, gateCount)
  return [...bindCases(familyCases, context), ...bindCases(decisionCases, { ...context, createPolicy })]
}
