import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { ActivationBlock } from './activation-block.ts'

/** Names of what a stage's run yields; `output` is null for the last stage. */
export interface StageOutputs {
  readonly output: string | null
  readonly scores: string
  /** The pooled features, where the stage yields them. */
  readonly features?: { readonly output: string } | undefined
}

/** The memory in which one model's activations live, on the host or on a GPU. */
export interface ActivationStore {
  /** Session options that leave a stage's outputs where this store wants them. */
  locateOutputs(outputs: StageOutputs): Pick<InferenceSession.SessionOptions, 'preferredOutputLocation'>
  /** A batch of shape `dims` from host memory, which the caller leaves unchanged until the block is released. */
  upload(data: Float32Array, dims: readonly number[]): ActivationBlock
  /** Memory for a session to write an output of shape `dims` to; null where the engine brings its own. */
  reserve(dims: readonly number[]): ActivationBlock | null
  /** Takes over a tensor that the engine allocated. */
  adopt(tensor: Tensor): ActivationBlock
  /** The given rows, in that order; shares memory where no copy is needed. */
  select(block: ActivationBlock, rows: Uint32Array): Promise<ActivationBlock>
  /** Frees everything that is still held. Blocks released later do nothing. */
  release(): Promise<void>
}
