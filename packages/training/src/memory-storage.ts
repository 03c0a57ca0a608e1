import {
  checkRange,
  countBlockRows,
  countRows,
  type FeatureStorage,
  type FeatureStorageOptions,
  type FeatureStore,
} from './feature-store.ts'

/** Keeps features in memory: fastest, at 4 bytes a value. */
export function createMemoryStorage(options: FeatureStorageOptions = {}): FeatureStorage {
  return { createStore: async (width) => createMemoryStore(width, countBlockRows(width, options)) }
}

function createMemoryStore(width: number, blockRows: number): FeatureStore {
  // Untouched pages of a new block take no memory, so that a block may be larger than what it comes to hold.
  const blocks: Float32Array[] = []
  let rows = 0
  /** Calls `visit` with the part of each block that belongs to the given rows, and where it lies among them. */
  const visitParts = (start: number, count: number, visit: (part: Float32Array, done: number) => void) => {
    for (let done = 0; done < count; ) {
      const first = (start + done) % blockRows
      const length = Math.min(count - done, blockRows - first)
      const index = (start + done - first) / blockRows
      const block = blocks[index] ?? new Float32Array(blockRows * width)
      blocks[index] = block
      visit(block.subarray(first * width, (first + length) * width), done)
      done += length
    }
  }
  const store: FeatureStore = {
    width,
    blockRows,
    get rows() {
      return rows
    },
    async append(data) {
      const added = countRows(data, width)
      visitParts(rows, added, (part, done) => part.set(data.subarray(done * width, done * width + part.length)))
      rows += added
    },
    async read(start, count) {
      checkRange(store, start, count)
      let result = new Float32Array(0)
      visitParts(start, count, (part, done) => {
        if (part.length === count * width) result = part as Float32Array<ArrayBuffer>
        else {
          if (done === 0) result = new Float32Array(count * width)
          result.set(part, done * width)
        }
      })
      return result
    },
    async dispose() {
      blocks.length = 0
      rows = 0
    },
  }
  return store
}
