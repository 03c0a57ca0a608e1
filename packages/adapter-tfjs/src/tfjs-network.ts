import type { ClassScores, Tensor } from '@sluice/core'
import type { Cut, FeatureTap, NamedShape } from '@sluice/onnx-graph'

/** A saved TensorFlow.js model: its `model.json`, and its weight shards by path relative to it. */
export interface TfjsModelFiles {
  readonly json: Uint8Array
  /** A shard's bytes; throws where there is none. Called once for each shard while the model loads. */
  readonly read: (path: string) => Promise<Uint8Array>
}

/** The two formats in which TensorFlow.js saves models. */
export type TfjsFormat = 'tfjs-layers' | 'tfjs-graph'

/** What the file leaves open. */
export interface TfjsNetworkOptions {
  /** Shape of the input, batch included (any number), where the model leaves more than the batch open. */
  readonly inputShape?: readonly number[] | undefined
  /** Name of the output that holds the class scores, where the model has several. */
  readonly output?: string | undefined
}

/** A loaded TensorFlow.js model with one input, as data and to be run. Tensors are named by node (graph) or layer. */
export interface TfjsNetwork {
  readonly format: TfjsFormat
  /** The one input; the batch is `'batch'`, e.g. `['batch', 224, 224, 3]`. */
  readonly inputs: readonly NamedShape[]
  /** The output that counts. */
  readonly outputs: readonly NamedShape[]
  /** Elements of all floating-point weights in the files, each counted once. */
  readonly parameters: number
  /** MACs of a run of one row (1 MAC = 2 FLOPs). @throws UnknownTfjsOperatorError for an operator without a cost rule */
  readonly macs: number
  /**
   * All cuts whose rows are samples, in network order; the input and the outputs are not among them.
   * @throws UnknownTfjsOperatorError for an operator without a cost rule
   */
  readonly cuts: readonly Cut[]
  /**
   * Runs the whole network on `[rows, ...]`, rows >= 1, and pools features at cuts. The caller owns the arrays; features
   * are `[rows, features]` by the tap's tensor, as {@link poolFeatures} lays them out.
   *
   * @throws InvalidArgumentError for a tap that is no cut or stands twice
   * @throws ShapeMismatchError, DataTypeMismatchError for images of another shape or type
   * @throws UnsupportedTfjsModelError when a cut or the output has not one row for each image of this batch
   */
  run(images: Tensor<'float32'>, taps: readonly FeatureTap[]): Promise<TappedScores>
  /**
   * Every file of the model, by the path that a bundle holds it at: `model.json` first, then the shards; read anew. A
   * shard's `./` goes, and one whose path is not portable is renamed, in `model.json` too, which else is as it was.
   * @throws InvalidTfjsModelError for a shard outside the model's folder
   */
  files(): Promise<Readonly<Record<string, Uint8Array>>>
  /** Frees the weights; twice does nothing. */
  dispose(): void
}

/** What a network says of a batch. */
export interface TappedScores {
  /** The network's own output, `[rows, classCount]`. */
  readonly scores: ClassScores
  /** Pooled features by cut tensor, `[rows, features]`, row major. */
  readonly features: ReadonlyMap<string, Float32Array>
}
