export type { BackendFixture, Tolerance } from './backend/backend-context.ts'
export { type BackendSuiteOptions, describeBackend } from './backend/describe-backend.ts'
export { describePolicy, type PolicySuiteOptions } from './policy/describe-policy.ts'
export type { SkippedTest } from './suite.ts'
