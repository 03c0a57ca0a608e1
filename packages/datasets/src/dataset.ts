/** Samples in host memory, with what is known of their classes. The caller owns both arrays. */
export interface LabelledBatch {
  /**
   * `[rows, ...sampleShape]`, row major. Pixels are 0..1, channels first (NCHW) and not normalised; data from npy files
   * are as stored.
   */
  readonly images: Float32Array
  /** Index into the dataset's `classes`, one per row; null where the data have no labels. */
  readonly labels: Int32Array | null
  readonly rows: number
}

/** Labelled samples, read by index. */
export interface Dataset {
  /** For messages and records, e.g. `cifar10 test`. */
  readonly name: string
  /** Number of samples; they have the indices 0 to `size - 1`. */
  readonly size: number
  /** Class names in the order of the labels; empty where the data have no labels. */
  readonly classes: readonly string[]
  /** Shape of one sample without the batch dimension: `[channels, height, width]` for images. */
  readonly sampleShape: readonly number[]
  /**
   * Reads the samples of the given indices, in the given order; an index may repeat.
   * @throws InvalidArgumentError for an index outside 0..size - 1
   * @throws DatasetError when a file cannot be read any more
   * @throws NonFiniteValueError when a sample holds NaN or an infinity
   */
  read(indices: Uint32Array | readonly number[]): Promise<LabelledBatch>
}
