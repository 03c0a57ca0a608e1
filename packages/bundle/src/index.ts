export * from './errors.ts'
export { createHttpSource, type HttpSourceOptions } from './http-source.ts'
export { type BundleSource, openBundle } from './open-bundle.ts'
