/** How a bundle's stage files are written. */
export type BundleFormat = 'onnx' | 'tfjs-layers' | 'tfjs-graph' | 'reference'

/** JSON as a manifest holds it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }
export type JsonObject = { readonly [key: string]: JsonValue }

/** The network's one input. A pixel `v` in 0..1 enters the network as `(v - mean[c]) / std[c]`. */
export interface InputDescription {
  readonly name: string
  readonly dataType: 'float32'
  /** Shape of one sample, without the batch dimension, e.g. `[3, 32, 32]`. */
  readonly shape: readonly number[]
  readonly layout: 'NCHW' | 'NHWC' | 'none'
  /** One value per channel; empty when the data enter as they are. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /**
   * Image files: shorter side in pixels after resizing, before the centre crop; null resizes until the image just covers
   * the crop.
   */
  readonly resize: number | null
}

/** Multiply-accumulates of one row in one stage (1 MAC = 2 FLOPs). */
export interface StageMacs {
  /** The stage's piece of the frozen network. */
  readonly backbone: number
  /** The gate's head at the stage's end; 0 for the last stage. */
  readonly head: number
}

/** A piece of the backbone between two cuts, with the head of the gate at its end. */
export interface StageDescription {
  readonly file: string
  readonly macs: StageMacs
  /** Name of the tensor that the stage takes (the network's input for stage 0). */
  readonly input: string
  /** Name of the cut tensor handed to the next stage; null for the last stage. */
  readonly output: string | null
  /** Shape of one row of `output`, without the batch dimension; null for the last stage. */
  readonly outputShape: readonly number[] | null
  /** Name of the output that holds the class scores: the head's, or the network's own for the last stage. */
  readonly scores: string
  /**
   * The file with the weights of the gate's head, in TensorFlow.js formats; absent for the last stage and where the
   * stage's own file contains the head (ONNX).
   */
  readonly headFile?: string | undefined
  /**
   * Name of the input that takes the class scores of the gate in front, `[rows, classes]`, where the stage's head looks at
   * them (cascade); they stand behind the pooled features. Absent where it does not, and for the first and the last stage.
   */
  readonly scoresInput?: string | undefined
  /**
   * The output that holds pooled features of the cut tensor, `[rows, width]`, for policies that look at them: the mean over
   * all positions of each channel (of each value over the tokens; a vector as it is). Absent where the stage yields none,
   * and for the last stage.
   */
  readonly features?: { readonly output: string; readonly width: number } | undefined
}

/**
 * Pooling in front of a head. `size` x `size` adaptive windows; `average+maximum` concatenates both. For tokens, over all
 * of them; `class-token` takes the first token alone.
 */
export interface PoolingDescription {
  readonly size: number
  readonly kind: 'average' | 'average+maximum' | 'class-token'
}

export interface HeadDescription {
  /** `convolutional`: an `mlp` behind 3x3 convolutions of stride 2 on the pooled map. */
  readonly kind: 'linear' | 'mlp' | 'convolutional'
  readonly pooling: PoolingDescription
  /** Width of the hidden layer; null for a linear head. */
  readonly hidden: number | null
  /** Channels that each convolution yields, at least one; absent for heads of other kinds. */
  readonly channels?: readonly number[] | undefined
  readonly loss: 'hinge' | 'crammer-singer' | 'cross-entropy' | 'distillation'
  readonly parameters: number
  /** Accuracy on the held-out part of the training data, 0..1. */
  readonly fitAccuracy: number
  /** `||w_j||` of the last layer's rows, one per class, in the space of that layer's inputs after standardisation. */
  readonly weightNorms: readonly number[]
}

/** Which exit score a gate uses and from which value on it fires. */
export interface GatePolicy {
  /** Name of the policy family, e.g. `softmax`. */
  readonly name: string
  /** What the family fitted for this gate, e.g. `{ "temperature": 1.3 }`. */
  readonly parameters: JsonObject
  /** Exit when the score is at least this; null never fires (the safe default). */
  readonly threshold: number | null
}

/** Which policy family answers the rows that reach the end. */
export interface EndPolicy {
  /** Name of the policy family, e.g. `ensemble`. */
  readonly name: string
  /** What its `end` was fitted to. */
  readonly parameters: JsonObject
}

export interface GateDescription {
  /** Index of the stage at whose end the gate stands. */
  readonly stage: number
  /** Share of the backbone's MACs spent up to the gate, 0..1. */
  readonly share: number
  readonly head: HeadDescription
  readonly policy: GatePolicy
}

/** How the thresholds were chosen; null in the manifest until `calibrate` has run. */
export interface CalibrationRecord {
  readonly data: string
  readonly samples: number
  readonly seed: number
  readonly target: { readonly maxDrop: number; readonly confidence: number | null }
  /** What was counted against the target: wrong labels, or disagreement with the full network. */
  readonly reference: 'labels' | 'full-network'
  readonly cost: 'macs' | 'time'
  readonly measured: {
    readonly accuracy: number
    readonly drop: number
    readonly macsPerSample: number
    readonly macsSaved: number
    readonly exitShares: readonly number[]
  }
  /** Null when nothing is promised for unseen samples. */
  readonly guarantee: CalibrationGuarantee | null
}

/**
 * What holds on unseen samples with the chance `target.confidence`, over the draw of the calibration samples: the risk is
 * at most the bound. Those samples were used for nothing else.
 */
export interface CalibrationGuarantee {
  /**
   * `accuracy-gap`: the full network is right and the gated one wrong, so that the accuracy lost is no more;
   * `disagreement`: the two answer differently.
   */
  readonly risk: 'accuracy-gap' | 'disagreement'
  /** Greatest share of samples, 0..1. */
  readonly bound: number
  /** Samples that the bound was tested on. */
  readonly samples: number
  /** Of them, those where the risk came true. */
  readonly losses: number
  /** Other samples, on which gates and thresholds were chosen. */
  readonly tuningSamples: number
}

/**
 * `sluice.json`, version 1. The file ends with one more field, `checksum`, which `@sluice/bundle` writes and verifies; its
 * JSON Schema stands there.
 */
export interface BundleManifest {
  readonly specVersion: 'v1'
  readonly format: BundleFormat
  readonly name: string
  readonly input: InputDescription
  /** Class names in the order of the scores. */
  readonly classes: readonly string[]
  /** MACs of the whole backbone, without heads, per row. */
  readonly macs: number
  readonly stages: readonly StageDescription[]
  /** One per stage but the last, in order. */
  readonly gates: readonly GateDescription[]
  /** How rows that no gate lets go are answered; absent where that is by the full network's own scores. */
  readonly endPolicy?: EndPolicy | undefined
  readonly calibration: CalibrationRecord | null
  /** Every file of the bundle but the manifest itself. */
  readonly files: { readonly [path: string]: { readonly sha256: string; readonly bytes: number } }
}

/** An opened bundle. `read` resolves to a file's bytes after its SHA-256 was verified; the caller owns them. */
export interface Bundle {
  readonly manifest: BundleManifest
  read(path: string): Promise<Uint8Array>
}
