import { createReferenceBackend, createReferenceBundle } from '@sluice/core/reference'
import { describeBackend } from './describe-backend.ts'

describeBackend(createReferenceBackend(), createReferenceBundle, { rtol: 0, atol: 0, runs: 50 })
