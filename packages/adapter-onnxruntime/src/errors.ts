import { SluiceError } from '@sluice/core'

/** The engine's package is not installed, or its native library does not load. */
export class EngineMissingError extends SluiceError {
  constructor(packageName: string, options: { readonly cause: unknown }) {
    super(
      'engine-missing',
      `${packageName} could not be loaded: ${describeCause(options.cause)}. Install it with 'npm install ${packageName}', or pass the module as the option 'ort'.`,
      options,
    )
  }
}

/** A requested execution provider does not start on this machine. */
export class ExecutionProviderError extends SluiceError {
  constructor(engine: string, hint: string, options: { readonly cause: unknown }) {
    super('execution-provider', `${engine} does not start: ${describeCause(options.cause)}. ${hint}`, options)
  }
}

/** ONNX Runtime refused a model or failed while it ran one. */
export class OnnxRuntimeError extends SluiceError {
  constructor(what: string, hint: string, options: { readonly cause: unknown }) {
    super('onnx-runtime', `${what} failed in ONNX Runtime: ${describeCause(options.cause)}. ${hint}`, options)
  }
}

/** The engine's own message on one line, without the failed check in its source code and the last full stop. */
function describeCause(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/^\S+\.cc:\d+ .* was false\. /, '')
    .replace(/\.$/, '')
}
