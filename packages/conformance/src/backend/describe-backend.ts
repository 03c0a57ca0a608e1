import { describe } from 'vitest'
import { bindCases, registerCases, type SkippedTest } from '../suite.ts'
import { answerCases } from './answer-cases.ts'
import type { BackendCase, BackendContext, Tolerance } from './backend-context.ts'
import { badInputCases } from './bad-input-cases.ts'
import { lifetimeCases } from './lifetime-cases.ts'
import { stageCases } from './stage-cases.ts'

/** How strict and how long the suite is. */
export interface BackendSuiteOptions extends Tolerance {
  /** Random networks per property; 10 when absent. */
  readonly runs?: number
  readonly skip?: readonly SkippedTest[]
}

/** Every requirement of the backend suite. */
export const backendCases: readonly BackendCase[] = [...stageCases, ...answerCases, ...lifetimeCases, ...badInputCases]

/**
 * Registers the suite that every adapter passes, inside a vitest test file. `createFixture` writes a reference network
 * in the adapter's own format; `describeReferenceNetwork` of `@sluice/core/reference` gives the manifest to start from.
 */
export function describeBackend(
  name: string,
  createFixture: BackendContext['createFixture'],
  { rtol, atol, runs = 10, skip = [] }: BackendSuiteOptions,
): void {
  const cases = bindCases(backendCases, { createFixture, rtol, atol, runs })
  describe(`${name} as a backend`, () => registerCases(cases, skip))
}
