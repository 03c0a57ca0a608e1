import { type BackendSuiteOptions, describeBackend } from '@sluice/conformance'
import type { Backend, StagedModel } from '@sluice/core'
import { createRandomReferenceNetwork } from '@sluice/core/reference'
import { afterAll, describe, test } from 'vitest'
import { ExecutionProviderError } from '../errors.ts'
import { createReferenceOnnxBundle } from './reference-bundle.ts'

/** `describeBackend`; on a machine where the execution provider does not start, one skipped test with the reason. */
export async function describeWhereItStarts(backend: Backend, options: BackendSuiteOptions): Promise<void> {
  const probe = await loadOrExplain(backend)
  if (typeof probe === 'string') {
    describe(`${backend.name} as a backend`, () => {
      test('needs its execution provider', ({ skip }) => skip(probe))
    })
    return
  }
  // Kept loaded: the engine opens a GPU anew, for a second, whenever its last session has gone.
  afterAll(() => probe.dispose())
  describeBackend(backend, createReferenceOnnxBundle, options)
}

async function loadOrExplain(backend: Backend): Promise<StagedModel | string> {
  const network = createRandomReferenceNetwork({ seed: 1, inputShape: [2], cutWidths: [2], classCount: 2 })
  try {
    return await backend.load(createReferenceOnnxBundle(network))
  } catch (error) {
    if (error instanceof ExecutionProviderError) return error.message
    throw error
  }
}
