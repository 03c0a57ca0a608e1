import type { BundleFormat, InputDescription, StageDescription, Tensor } from '@sluice/core'
import type { Cut, FeatureTap, HeadWeights, NamedShape } from '@sluice/onnx-graph'
import type { TappedAnswer } from '@sluice/training'

/**
 * A trained network that gates can be attached to, in whatever format it is written: what it costs, where it can be cut,
 * how it runs, and how a bundle holds it.
 */
export interface FrozenNetwork {
  readonly format: BundleFormat
  /** Shapes with the batch in front, told by its name, e.g. `['batch', 3, 224, 224]`. */
  readonly inputs: readonly NamedShape[]
  readonly outputs: readonly NamedShape[]
  /** How images enter the network; null where only their shape tells. */
  readonly layout: InputDescription['layout'] | null
  /** MACs of one row. */
  readonly macs: number
  /** Elements of all floating-point weights. */
  readonly parameters: number
  /** Every cut, in network order. */
  readonly cuts: readonly Cut[]
  /**
   * Prepares a pass over data that also yields the taps' pooled features; without taps, the network as its users run it.
   * The caller closes it.
   */
  openPass(taps: readonly FeatureTap[]): Promise<NetworkPass>
  /** Cuts the network at the heads' cuts, which stand in network order. */
  splitAtHeads(heads: readonly PlacedHead[]): Promise<SplitNetwork>
}

/** A network made ready for a pass over data. */
export interface NetworkPass {
  /** @param images a preprocessed batch `[rows, ...]`. The answer belongs to the caller. */
  run(images: Tensor<'float32'>): Promise<TappedAnswer>
  /** Frees the engine's resources; twice does nothing. */
  close(): Promise<void>
}

/** A head and the cut at which it stands. */
export interface PlacedHead {
  readonly cut: Cut
  readonly head: HeadWeights
  /** Whether the gate also yields pooled features of the cut tensor. */
  readonly yieldsFeatures: boolean
}

/** A network cut into stages as a bundle holds them: one more stage than heads. */
export interface SplitNetwork {
  readonly files: Readonly<Record<string, Uint8Array>>
  /** Where each stage lies, in order. */
  readonly stages: readonly StagePlace[]
}

/** Where a stage lies: its file, and the tensors there that it takes and yields. */
export type StagePlace = Omit<StageDescription, 'macs' | 'outputShape'>
