import { SluiceError } from '@sluice/core'
import { BundleExistsError, BundleWriteError } from '../errors.ts'
import { describeSystemError, hasErrorCode } from './system-error.ts'

/**
 * Puts a failure to write into words that help; Sluice's own errors and the reason of an abort stay what they are.
 * @param sizeBytes how much was to be written
 */
export function convertWriteError(error: unknown, folder: string, sizeBytes: number, signal?: AbortSignal): unknown {
  if (SluiceError.isInstance(error) || (signal?.aborted && error === signal.reason)) return error
  if (hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) {
    return new BundleExistsError(folder, 'was created by somebody else meanwhile. Choose another folder.')
  }
  return new BundleWriteError(folder, explain(error, sizeBytes), error)
}

function explain(error: unknown, sizeBytes: number): string {
  if (hasErrorCode(error, 'ENOSPC', 'EDQUOT')) {
    const megabytes = Math.max(0.1, sizeBytes / 1e6).toFixed(1)
    return `no disk space is left (${megabytes} MB are needed). Free some, or choose another disk.`
  }
  if (hasErrorCode(error, 'EACCES', 'EPERM', 'EROFS')) {
    return `its place is not writable (${describeSystemError(error)}). Change the permissions, or choose another folder.`
  }
  return `${describeSystemError(error)}. Check the disk and the path.`
}
