import { UnsupportedVersionError } from './errors.ts'

/**
 * Checks a pluggable object once, where it enters. `what` opens the error's message, e.g. `Exit policy 'softmax'`.
 * @throws UnsupportedVersionError unless its `specVersion` is 'v1'
 */
export function checkSpecVersion(what: string, object: { readonly specVersion: unknown }): void {
  if (object.specVersion !== 'v1') throw new UnsupportedVersionError(what, object.specVersion, 'v1')
}
