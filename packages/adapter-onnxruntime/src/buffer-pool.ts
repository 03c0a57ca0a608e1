/** Arrays that are lent and come back, so that a steady load allocates nothing. */
export interface BufferPool {
  /** An array of `length` elements with unspecified contents, the borrower's until it gives it back. */
  take(length: number): Float32Array
  /** Returns an array that `take` lent; nobody may use it, or a view of it, afterwards. */
  give(array: Float32Array): void
}

/**
 * Lends arrays cut from power-of-two buffers, the one given back last first, since it is likeliest to be in the
 * processor's cache. The pool keeps what it has once lent: at most twice the elements that were out at the same time,
 * for each size class.
 */
export function createBufferPool(): BufferPool {
  const freeBySize = new Map<number, ArrayBuffer[]>()
  return {
    take(length) {
      const sizeBytes = roundUpToPowerOfTwo(length * Float32Array.BYTES_PER_ELEMENT)
      const buffer = freeBySize.get(sizeBytes)?.pop() ?? new ArrayBuffer(sizeBytes)
      return new Float32Array(buffer, 0, length)
    },
    give({ buffer }) {
      const free = freeBySize.get(buffer.byteLength)
      if (free === undefined) freeBySize.set(buffer.byteLength, [buffer as ArrayBuffer])
      else free.push(buffer as ArrayBuffer)
    },
  }
}

function roundUpToPowerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value))
}
