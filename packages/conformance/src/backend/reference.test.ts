import { createReferenceBackend, createReferenceBundle } from '@sluice/core/reference'
import { describeBackend } from './describe-backend.ts'

describeBackend(
  'the reference backend',
  async (network) => ({ backend: createReferenceBackend(), bundle: await createReferenceBundle(network) }),
  { rtol: 0, atol: 0, runs: 50 },
)
