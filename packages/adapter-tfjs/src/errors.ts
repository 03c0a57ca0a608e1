import { SluiceError } from '@sluice/core'

/** A `model.json` or one of its shards is damaged, cut off, or no TensorFlow.js model. */
export class InvalidTfjsModelError extends SluiceError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('invalid-tfjs-model', `The TensorFlow.js model cannot be read: ${problem}`, options)
  }
}

/** The model uses something that cutting or running it in stages cannot handle. */
export class UnsupportedTfjsModelError extends SluiceError {
  constructor(message: string) {
    super('unsupported-tfjs-model', message)
  }
}

/** An operator multiplies and has no cost rule, so that the MACs behind it are unknown. */
export class UnknownTfjsOperatorError extends SluiceError {
  constructor(operator: string, name: string) {
    super(
      'unknown-tfjs-operator',
      `Operator ${operator} ('${name}') has no cost rule. Add one under packages/adapter-tfjs/src/operators, or replace it in the model.`,
    )
  }
}

/** The file of a gate's head is damaged, or is none. */
export class InvalidHeadFileError extends SluiceError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('invalid-head-file', `The head file cannot be read: ${problem} Write it with writeHeadFile.`, options)
  }
}

/** TensorFlow.js refused a model or failed while it ran one. */
export class TfjsError extends SluiceError {
  constructor(what: string, hint: string, options: { readonly cause: unknown }) {
    super('tfjs', `${what} failed in TensorFlow.js: ${describeCause(options.cause)}. ${hint}`, options)
  }
}

/** Runs something of TensorFlow.js, so that its failure says what was tried. @throws TfjsError */
export function inTfjs<T>(what: string, hint: string, task: () => T): T {
  try {
    return task()
  } catch (cause) {
    throw SluiceError.isInstance(cause) ? cause : new TfjsError(what, hint, { cause })
  }
}

function describeCause(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.trim().replace(/\s+/g, ' ').replace(/\.$/, '')
}
