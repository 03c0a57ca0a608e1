import type { Backend, ClassScores, StagedModel, StageResult } from '@sluice/core'
import { createReferenceBackend, createReferenceBundle } from '@sluice/core/reference'
import { backendCases } from '../backend/describe-backend.ts'
import { type BoundCase, bindCases } from '../suite.ts'

/** Some members of a sound model, replaced by broken ones. */
export type SpoilModel = (model: StagedModel) => Partial<StagedModel>

/** A backend's fault, the name of a case that must not pass on it, and the fault itself. */
export type SpoiltModel = readonly [fault: string, failingCase: string, spoil: SpoilModel]

/** Names of the cases that do not pass. */
export async function findFailures(cases: readonly BoundCase[]): Promise<string[]> {
  const failures: string[] = []
  for (const { name, run } of cases) {
    try {
      await run()
    } catch {
      failures.push(name)
    }
  }
  return failures
}

/** Names of the cases that the reference backend does not pass once some of its members are replaced. */
export function findBackendFailures(spoil: (backend: Backend) => Partial<Backend>): Promise<string[]> {
  const backend = createReferenceBackend()
  const spoilt: Backend = { ...backend, ...spoil(backend) }
  const context = { backend: spoilt, createBundle: createReferenceBundle, rtol: 1e-6, atol: 1e-6, runs: 10 }
  return findFailures(bindCases(backendCases, context))
}

/** Names of the cases that the reference backend does not pass once its models are spoilt. */
export function findModelFailures(spoil: SpoilModel): Promise<string[]> {
  return findBackendFailures((backend) => ({ load: async (bundle) => override(await backend.load(bundle), spoil) }))
}

/** The model with some members replaced; a getter that is not replaced stays one. */
function override(model: StagedModel, spoil: SpoilModel): StagedModel {
  return Object.create(model, Object.getOwnPropertyDescriptors(spoil(model))) as StagedModel
}

/** The model's `runStage` with every score array changed as it is read. */
export function changeScores(
  model: StagedModel,
  change: (scores: ClassScores) => ClassScores,
): Pick<StagedModel, 'runStage'> {
  return {
    async runStage(index, activation): Promise<StageResult> {
      const result = await model.runStage(index, activation)
      return { ...result, scores: { ...result.scores, read: async () => change(await result.scores.read()) } }
    },
  }
}
