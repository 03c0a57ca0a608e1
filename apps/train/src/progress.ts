/** Told by long work how far it is. */
export interface ProgressEvent {
  /** What is being done, e.g. `forward pass`. */
  readonly phase: string
  readonly done: number
  readonly total: number
  /** What is counted, e.g. `images`. */
  readonly unit: string
  /** How the work goes, e.g. `epoch 3, loss 0.52`. */
  readonly detail?: string
}

/** How long work is watched and ended. */
export interface WorkOptions {
  readonly onProgress?: (event: ProgressEvent) => void
  /** Ends the work early with the signal's reason; nothing half-written stays behind. */
  readonly signal?: AbortSignal
}
