import {
  type Backend,
  type Bundle,
  type ClassScores,
  createGatedModel,
  type GatedModel,
  type StagedModel,
} from '@sluice/core'
import { createScriptedPolicy, type ReferenceNetwork } from '@sluice/core/reference'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { SuiteCase } from '../suite.ts'
import type { Scenario } from './scenario.ts'

/** How close is equal: `|actual - expected| <= atol + rtol * |expected|`. */
export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

/** What every case of the backend suite works with. */
export interface BackendContext extends Tolerance {
  readonly backend: Backend
  /** Writes the network in the format that the cases are run on. */
  createBundle(network: ReferenceNetwork): Promise<Bundle>
  /** Random networks per property. */
  readonly runs: number
}

/** One requirement on a backend. */
export type BackendCase = SuiteCase<BackendContext>

/** Loads a network, hands it to `use`, and checks that nothing is left alive before it disposes the model. */
export async function withModel(
  { backend, createBundle }: BackendContext,
  network: ReferenceNetwork,
  use: (model: StagedModel) => Promise<void>,
): Promise<void> {
  const model = await backend.load(await createBundle(network))
  try {
    await use(model)
    expect(model.liveHandles, 'handles left alive').toBe(0)
  } finally {
    await model.dispose()
  }
}

/** Checks a property on random networks, batches and exits, each loaded anew; the seed is fixed. */
export async function checkScenarios<T extends Scenario>(
  context: BackendContext,
  scenarios: fc.Arbitrary<T>,
  check: (model: StagedModel, scenario: T) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(scenarios, (scenario) =>
    withModel(context, scenario.network, (model) => check(model, scenario)),
  )
  await fc.assert(property, { seed: 20181103, numRuns: context.runs })
}

/** A gated model whose row `i` leaves at stage `exits[i]`. */
export function createScriptedModel(model: StagedModel, exits: readonly number[]): GatedModel {
  return createGatedModel({ model, policy: createScriptedPolicy(exits) })
}

/** Fails unless both hold the same rows and classes, and values within the tolerance. */
export function expectClose(actual: ClassScores, expected: ClassScores, { rtol, atol }: Tolerance): void {
  expect([actual.rows, actual.classCount]).toEqual([expected.rows, expected.classCount])
  expect(actual.data.length).toBe(expected.data.length)
  expected.data.forEach((value, i) => {
    const difference = Math.abs((actual.data[i] as number) - value)
    const place = `row ${Math.floor(i / expected.classCount)}, class ${i % expected.classCount}: |${actual.data[i]} - ${value}|`
    expect(difference, place).toBeLessThanOrEqual(atol + rtol * Math.abs(value))
  })
}
