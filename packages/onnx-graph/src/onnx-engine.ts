import type { Tensor } from '@sluice/core'

/** Host tensors by name. */
export type NamedTensors = { readonly [name: string]: Tensor }

/** One loaded ONNX graph. */
export interface OnnxSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** Runs the graph. Feeds are read only and not kept; the caller owns the results. */
  run(feeds: NamedTensors): Promise<NamedTensors>
  /** Frees the engine's resources; twice does nothing. */
  release(): Promise<void>
}

/**
 * Runs whole ONNX graphs: what training and measuring need of an engine. Injected, so that this side of the code knows
 * no engine; the ONNX Runtime adapter provides one.
 */
export interface OnnxEngine {
  readonly specVersion: 'v1'
  readonly name: string
  /** Loads a serialised model; the caller releases the session. */
  createSession(model: Uint8Array): Promise<OnnxSession>
}
