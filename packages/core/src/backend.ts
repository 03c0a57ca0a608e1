import type { Bundle, BundleFormat, InputDescription, StageMacs } from './bundle.ts'
import type { ClassScores } from './class-scores.ts'
import type { PolicyExpression } from './gate-expression.ts'
import type { PooledFeatures } from './pooled-features.ts'
import type { Tensor } from './tensor.ts'

/** What a backend can do, as data: callers look, no method throws "not implemented". */
export interface BackendCapabilities {
  readonly formats: readonly BundleFormat[]
  /** Where activations live between stages. */
  readonly device: 'cpu' | 'gpu'
}

/** Runs bundles on one engine. Created by an adapter's factory, e.g. `createOnnxRuntimeBackend(options)`. */
export interface Backend {
  readonly specVersion: 'v1'
  /** For messages and tables, e.g. `onnxruntime-node (cpu)`. */
  readonly name: string
  readonly capabilities: BackendCapabilities
  /**
   * Prepares every stage of the bundle. The caller owns the result and disposes it.
   * @throws UnsupportedBundleError for a format outside `capabilities.formats`, UnsupportedVersionError, a SluiceError
   * for files that it cannot run, and whatever the bundle's `read` fails with
   */
  load(bundle: Bundle): Promise<StagedModel>
}

/** What the runner needs to know of a stage. */
export interface StagedNetworkStage {
  /** Cost of one row. */
  readonly macs: StageMacs
  /** How many pooled features of a row the stage yields; absent where it yields none. */
  readonly features?: { readonly width: number } | undefined
}

/** What the runner needs to know of a loaded network. */
export interface StagedNetwork {
  readonly input: InputDescription
  readonly classCount: number
  /** In order; the last stage yields the network's own scores. */
  readonly stages: readonly StagedNetworkStage[]
}

/**
 * An activation on the backend's device, opaque to everybody else. Where the next stage's head takes the class scores of
 * the stage that gave it (`scoresInput`), it carries them along. Whoever receives it owns it and calls `dispose()` once; a
 * second call does nothing.
 */
export interface Activation {
  readonly rows: number
  dispose(): void
}

/**
 * Numbers still on the device, a row each. Owned like an activation; `read()` before `dispose()`, what it gave belongs to
 * the caller and stays valid afterwards.
 */
export interface DeviceRows<Rows> {
  readonly rows: number
  read(): Promise<Rows>
  dispose(): void
}

/** Class scores still on the device, `[rows, classCount]`. */
export type DeviceScores = DeviceRows<ClassScores>

/** Pooled features still on the device, `[rows, width]`. */
export type DeviceFeatures = DeviceRows<PooledFeatures>

/** What one stage yields. The caller owns all of it. */
export interface StageResult {
  /** Null for the last stage alone. */
  readonly activation: Activation | null
  readonly scores: DeviceScores
  /** What the gate's policy may look at besides the scores; absent where the stage's description has no `features`. */
  readonly features?: DeviceFeatures | undefined
}

/** Disposes all of a stage's result but the activation. */
export function disposeRows({ scores, features }: Pick<StageResult, 'scores' | 'features'>): void {
  scores.dispose()
  features?.dispose()
}

/**
 * Runs all stages and gates on a checked batch `[rows, ...network.input.shape]`, rows >= 1, in one call of the engine.
 * @throws DisposedError of the model
 */
export type WholeNetwork = (batch: Tensor) => Promise<WholeResult>

/** What a whole gated network answers, in host memory; the caller owns the arrays. */
export interface WholeResult {
  /** Class scores of each row at its exit, `[rows, classCount]`. */
  readonly scores: ClassScores
  /** Index of the stage at whose end each row left. */
  readonly exits: Uint32Array
}

/** A loaded network cut into stages. Methods leave their arguments alive: the caller disposes what it owns. */
export interface StagedModel {
  readonly specVersion: 'v1'
  readonly network: StagedNetwork
  /** Activations, scores and features handed out and not yet disposed; 0 when nothing leaks. */
  readonly liveHandles: number
  /**
   * Puts a preprocessed batch `[rows, ...network.input.shape]`, rows >= 1, on the device. Its memory is read, never
   * written, until the activation (and any selected from it) is disposed; leave it unchanged until then.
   * @throws ShapeMismatchError, DataTypeMismatchError, DisposedError
   */
  upload(batch: Tensor): Promise<Activation>
  /**
   * Runs stage `index` on the activation that stage `index - 1` (or `upload`) gave.
   * @throws DisposedError; InvalidArgumentError for a stage that does not exist or another stage's or model's activation
   */
  runStage(index: number, activation: Activation): Promise<StageResult>
  /**
   * A new activation of the given rows, in the given order, at least one.
   * @throws DisposedError; InvalidArgumentError for no rows, rows that do not exist, or another model's activation
   */
  selectRows(activation: Activation, rows: Uint32Array): Promise<Activation>
  /**
   * The network with gates that the backend decides itself: its answers are those of the stages one by one, up to rounding.
   * Class scores at gates that a row passes are seen by nobody. What it needs is made with its first run and freed with the
   * model. Absent where the backend cannot, or would not be faster.
   *
   * @param expression with one gate, or null, per stage but the last
   */
  joinGates?(expression: PolicyExpression): WholeNetwork
  /** Frees the engine's resources; twice does nothing. */
  dispose(): Promise<void>
}
