import type { FeatureRows } from './feature-store.ts'

/** Consecutive rows of a store, some of which are wanted. */
export interface RowBlock {
  /** Index in the store of the block's first row. */
  readonly start: number
  /** Rows of the block, wanted or not. */
  readonly length: number
  /** The wanted rows, counted from `start`, ascending. */
  readonly rows: Uint32Array
}

/** Cuts the given rows (ascending) at the store's block boundaries; blocks without a row are left out. */
export function planBlocks(store: FeatureRows, rows: Uint32Array): RowBlock[] {
  const blocks: RowBlock[] = []
  for (let first = 0; first < rows.length; ) {
    const start = Math.floor((rows[first] as number) / store.blockRows) * store.blockRows
    const length = Math.min(store.blockRows, store.rows - start)
    let end = first
    while (end < rows.length && (rows[end] as number) < start + length) end++
    blocks.push({ start, length, rows: rows.subarray(first, end).map((row) => row - start) })
    first = end
  }
  return blocks
}

/** Reads the blocks that hold the given rows, in order; `data` is `[length, width]`, valid until the next one. */
export async function* readBlocks(
  store: FeatureRows,
  rows: Uint32Array,
): AsyncGenerator<RowBlock & { readonly data: Float32Array }> {
  for (const block of planBlocks(store, rows)) yield { ...block, data: await store.read(block.start, block.length) }
}
