import type { Split } from '../data-spec.ts'

/** What the caller of `openDataset` knows about the use of the data. */
export interface OpenOptions {
  /** Split to read where the string names none and the kind has splits. Default `test`; folders of images: no split. */
  readonly split?: Split
  /**
   * Class names of the network, in the order of its scores. Data with other classes are refused; labels that are numbers
   * are taken as indices into these.
   */
  readonly classes?: readonly string[]
  /** `[channels, height, width]` that the samples must have; folders of images are brought to it. Default for those `[3, 224, 224]`. */
  readonly sampleShape?: readonly number[]
  /**
   * Folders of images: shorter side in pixels after resizing, before the centre crop. Default, and null: just covers the
   * crop.
   */
  readonly resize?: number | null
  /** Gets one line for each thing that the user should know, e.g. skipped files. Default: `process.emitWarning`. */
  readonly onWarning?: (message: string) => void
}
