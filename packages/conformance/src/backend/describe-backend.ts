import type { Backend, Bundle, BundleFormat } from '@sluice/core'
import type { ReferenceNetwork } from '@sluice/core/reference'
import { describe } from 'vitest'
import { bindCases, registerCases, type SkippedTest } from '../suite.ts'
import { answerCases } from './answer-cases.ts'
import type { BackendCase, Tolerance } from './backend-context.ts'
import { badInputCases } from './bad-input-cases.ts'
import { bundleCases } from './bundle-cases.ts'
import { featureCases } from './feature-cases.ts'
import { joinedCases } from './joined-cases.ts'
import { lifetimeCases } from './lifetime-cases.ts'
import { stageCases } from './stage-cases.ts'

/** How strict and how long the suite is. */
export interface BackendSuiteOptions extends Tolerance {
  /** Random networks per property; 10 when absent. */
  readonly runs?: number
  readonly skip?: readonly SkippedTest[]
}

/** Every requirement of the backend suite. */
export const backendCases: readonly BackendCase[] = [
  ...stageCases,
  ...featureCases,
  ...answerCases,
  ...joinedCases,
  ...lifetimeCases,
  ...badInputCases,
  ...bundleCases,
]

/** Writes a reference network as a bundle of the given format, one of those that the backend declares. */
export type CreateBundle = (network: ReferenceNetwork, format: BundleFormat) => Bundle | Promise<Bundle>

/**
 * Registers the suite that every adapter passes, inside a vitest test file, once for each bundle format that the backend
 * declares. `describeReferenceNetwork` of `@sluice/core/reference` gives the manifest that `createBundle` starts from.
 * A skip holds for every format.
 */
export function describeBackend(
  backend: Backend,
  createBundle: CreateBundle,
  { rtol, atol, runs = 10, skip = [] }: BackendSuiteOptions,
): void {
  for (const format of backend.capabilities.formats) {
    const context = { backend, createBundle: async (network: ReferenceNetwork) => createBundle(network, format) }
    const cases = bindCases(backendCases, { ...context, rtol, atol, runs })
    describe(`${backend.name} as a backend of ${format} bundles`, () => registerCases(cases, skip))
  }
}
