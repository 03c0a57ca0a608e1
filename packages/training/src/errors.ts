import { SluiceError } from '@sluice/core'

/** The temporary file of a feature store cannot be written or read, e.g. on a full disk. */
export class FeatureStorageError extends SluiceError {
  constructor(folder: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      'feature-storage',
      `Features cannot be kept in a temporary file in ${folder}: ${reason}. Free disk space, set TMPDIR to another folder, or raise the memory budget.`,
      { cause },
    )
  }
}

/** The loss overflowed although all features are finite. */
export class FitDivergedError extends SluiceError {
  constructor(epoch: number, peakLearningRate: number) {
    super(
      'fit-diverged',
      `The loss is no finite number in epoch ${epoch + 1}. Lower the recipe's peakLearningRate, now ${peakLearningRate}.`,
    )
  }
}
