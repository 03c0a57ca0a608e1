import type { InferenceSession } from 'onnxruntime-common'

const severities = { verbose: 0, info: 1, warning: 2, error: 3, fatal: 4 } as const

/** Settings of every session that a backend or engine creates. */
export interface SessionSettings {
  /** Threads of one session's operators, at least 1; left to the engine when absent (one per processor core). */
  readonly threads?: number
  /** The least severe of the engine's own messages that reach standard error; `error` when absent. */
  readonly logLevel?: keyof typeof severities
  /**
   * Whether denormal numbers count as zero: faster where values underflow, as in training. Off when absent. ONNX Runtime
   * applies it to the session's own threads; for the calling thread, which works along, the process's first session
   * decides.
   */
  readonly denormalsAsZero?: boolean
  /** Any other option of ONNX Runtime; its entries win over all of the above. */
  readonly sessionOptions?: InferenceSession.SessionOptions
}

/** ONNX Runtime's options for these settings. */
export function createSessionOptions(
  settings: SessionSettings,
  executionProviders: readonly string[],
): InferenceSession.SessionOptions {
  const { threads, logLevel = 'error', denormalsAsZero = false, sessionOptions = {} } = settings
  const { session, ...extra } = (sessionOptions.extra ?? {}) as { session?: Record<string, string> }
  return {
    executionProviders,
    logSeverityLevel: severities[logLevel],
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...sessionOptions,
    extra: {
      ...extra,
      session: {
        // A session's idle threads otherwise spin and slow the other stages' sessions 1.6 to 2.4 times.
        force_spinning_stop: '1',
        ...(denormalsAsZero ? { set_denormal_as_zero: '1' } : {}),
        ...session,
      },
    },
  }
}
