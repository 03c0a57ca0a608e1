import type { ClassScores, Tensor } from '@sluice/core'

/** A network without gates, loaded. Whoever loads it releases it. */
export interface PlainNetwork<Answer = ClassScores> {
  /** Runs a preprocessed batch `[rows, ...]`; the answer belongs to the caller. */
  run(images: Tensor<'float32'>): Promise<Answer>
  /** Frees the engine's resources; twice does nothing. */
  release(): Promise<void>
}

/** A bundle's backbone without gates, as its users would run it: the rival in every comparison. */
export interface PlainNetworks {
  loadFull(): Promise<PlainNetwork>
  /**
   * The backbone truncated at the cut behind each stage; the last one is the whole network. For timing alone: what a
   * truncated one answers says nothing, its time is that of the layers, on a CPU without handing out an activation.
   */
  loadTruncated(): Promise<PlainNetwork<unknown>[]>
  /**
   * The whole network, rewritten for its engine as the stages of the gated network are while they load, so that a
   * comparison can tell what this alone gains. Null where there is nothing to rewrite; absent where stages are not
   * rewritten either.
   */
  loadHinted?(): Promise<PlainNetwork | null>
}
