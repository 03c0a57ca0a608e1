import type { FeatureStorage } from './feature-store.ts'
import { createFileStorage, type FileStorageOptions } from './file-storage.ts'
import { createMemoryStorage } from './memory-storage.ts'

/** Options of {@link chooseStorage}. */
export interface StorageChoiceOptions extends FileStorageOptions {
  /** Bytes of features that may stay in memory, all stores together; 2 GiB when absent. */
  readonly memoryBudgetBytes?: number
}

/** Memory for `expectedBytes` of features (4 a value) within the budget, else temporary files. */
export function chooseStorage(expectedBytes: number, options: StorageChoiceOptions = {}): FeatureStorage {
  const { memoryBudgetBytes = 2 ** 31 } = options
  return expectedBytes <= memoryBudgetBytes ? createMemoryStorage(options) : createFileStorage(options)
}
