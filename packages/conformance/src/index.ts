export type { Tolerance } from './backend/backend-context.ts'
export { type BackendSuiteOptions, type CreateBundle, describeBackend } from './backend/describe-backend.ts'
export { describePolicy, type PolicySuiteOptions } from './policy/describe-policy.ts'
export type { SkippedTest } from './suite.ts'
