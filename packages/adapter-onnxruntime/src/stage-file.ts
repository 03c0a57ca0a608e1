import type { StageDescription } from '@sluice/core'
import type { InferenceSession } from 'onnxruntime-common'

/** A stage before its session is created. */
export interface StageFile {
  readonly description: StageDescription
  readonly model: Uint8Array
  /** Options that this stage's session needs besides the engine's. */
  readonly sessionOptions?: InferenceSession.SessionOptions
}
