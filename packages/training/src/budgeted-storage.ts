import type { FeatureStorage, FeatureStore } from './feature-store.ts'
import { createFileStorage, type FileStorageOptions } from './file-storage.ts'
import { createMemoryStorage } from './memory-storage.ts'

/** Options of {@link createBudgetedStorage}. */
export interface BudgetedStorageOptions extends FileStorageOptions {
  /** Bytes of features that may stay in memory, all stores together; 2 GiB when absent. */
  readonly memoryBudgetBytes?: number
}

/**
 * Keeps features in memory as long as all stores together stay within the budget. A store that would grow beyond it
 * moves to a temporary file, and makes room for the others.
 */
export function createBudgetedStorage(options: BudgetedStorageOptions = {}): FeatureStorage {
  const { memoryBudgetBytes = 2 ** 31 } = options
  const memory = createMemoryStorage(options)
  const files = createFileStorage(options)
  let heldBytes = 0

  return {
    async createStore(width) {
      let store = await memory.createStore(width)
      /** What this store holds in memory; null once it lies in a file. */
      let ownBytes: number | null = 0
      const release = () => {
        heldBytes -= ownBytes ?? 0
        ownBytes = null
      }
      const moveToFile = async () => {
        const file = await files.createStore(width)
        await copyRows(store, file)
        await store.dispose()
        store = file
        release()
      }
      return {
        width,
        blockRows: store.blockRows,
        get rows() {
          return store.rows
        },
        async append(data) {
          if (ownBytes !== null && heldBytes + data.byteLength > memoryBudgetBytes) await moveToFile()
          await store.append(data)
          if (ownBytes === null) return
          ownBytes += data.byteLength
          heldBytes += data.byteLength
        },
        read: (start, rows) => store.read(start, rows),
        async dispose() {
          release()
          await store.dispose()
        },
      }
    },
  }
}

async function copyRows(from: FeatureStore, to: FeatureStore): Promise<void> {
  for (let start = 0; start < from.rows; start += from.blockRows) {
    await to.append(await from.read(start, Math.min(from.blockRows, from.rows - start)))
  }
}
