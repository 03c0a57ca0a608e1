import { InvalidArgumentError } from '@sluice/core'

/** A matrix `[rows, width]` of float32, row major, to be read many times. */
export interface FeatureRows {
  /** Values of one row. */
  readonly width: number
  readonly rows: number
  /** Reads that start at a multiple of this and ask for at most this many rows are the fastest; at least 1. */
  readonly blockRows: number
  /** What convolutions see in a row; absent where its values are no map. Values behind the map are none of theirs. */
  readonly map?: FeatureMap | undefined
  /**
   * `rows` rows from row `start` on. Read only, and valid until the next `read`, or the store's `dispose`.
   * @throws InvalidArgumentError for rows that do not exist
   */
  read(start: number, rows: number): Promise<Float32Array>
}

/**
 * A map at the start of a row, `[outer, height, width, inner]`, row major. Its channels count along `outer` and `inner`:
 * `[channels, height, width, 1]` with the channels first, `[averages and maxima, height, width, channels]` with them last.
 */
export interface FeatureMap {
  readonly outer: number
  readonly height: number
  readonly width: number
  readonly inner: number
}

/** Features that grow by rows and are then read. */
export interface FeatureStore extends FeatureRows {
  /** Appends whole rows; the data are copied. @throws InvalidArgumentError unless the length is a multiple of `width` */
  append(data: Float32Array): Promise<void>
  /** Frees memory or disk space; twice does nothing. */
  dispose(): Promise<void>
}

/** Creates stores in one place: {@link createMemoryStorage}, or files as `@sluice/training/node` makes them. */
export interface FeatureStorage {
  /** An empty store for rows of `width` values; the caller disposes it. */
  createStore(width: number): Promise<FeatureStore>
}

/** Options of every storage. */
export interface FeatureStorageOptions {
  /** Bytes that are held or read in one piece: what a fit needs of memory beside the store itself. 128 MiB when absent. */
  readonly blockBytes?: number
}

const defaultBlockBytes = 2 ** 27

/** Rows of `width` values that fit into one block, at least 1. */
export function countBlockRows(width: number, { blockBytes = defaultBlockBytes }: FeatureStorageOptions): number {
  return Math.max(1, Math.floor(blockBytes / (width * Float32Array.BYTES_PER_ELEMENT)))
}

/** The number of rows in `data`. @throws InvalidArgumentError unless they are whole */
export function countRows(data: Float32Array, width: number): number {
  if (data.length % width === 0) return data.length / width
  throw new InvalidArgumentError(`${data.length} values are no whole rows of ${width}; append whole rows.`)
}

/** @throws InvalidArgumentError unless rows `start` to `start + rows - 1` exist */
export function checkRange(store: Pick<FeatureStore, 'rows'>, start: number, rows: number): void {
  if (start >= 0 && rows >= 0 && start + rows <= store.rows) return
  throw new InvalidArgumentError(`Rows ${start} to ${start + rows - 1} do not exist; the store holds ${store.rows}.`)
}
