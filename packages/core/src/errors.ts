const marker = Symbol.for('sluice.error')

/**
 * Base of every error that Sluice throws on purpose. The message says what happened, shows the offending value and
 * says what to do. `isInstance` works across copies of this package, where `instanceof` does not.
 */
export class SluiceError extends Error {
  /** Stable, machine-readable name of the failure, e.g. `shape-mismatch`. */
  readonly code: string
  readonly [marker] = true

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }

  static isInstance(value: unknown): value is SluiceError {
    return typeof value === 'object' && value !== null && marker in value
  }
}

/** An argument is outside its documented range or form. */
export class InvalidArgumentError extends SluiceError {
  constructor(message: string) {
    super('invalid-argument', message)
  }
}

/** A tensor has another shape than the network or function takes. */
export class ShapeMismatchError extends SluiceError {
  constructor(what: string, actual: readonly unknown[], expected: readonly unknown[]) {
    super('shape-mismatch', `${what} has shape [${actual.join(', ')}]; pass [${expected.join(', ')}] instead.`)
  }
}

/** A tensor has another element type than the network takes. */
export class DataTypeMismatchError extends SluiceError {
  constructor(what: string, actual: string, expected: string) {
    super('data-type-mismatch', `${what} has element type ${actual}; convert it to ${expected} first.`)
  }
}

/** Input or class scores hold NaN or an infinity, so that no class can be chosen. */
export class NonFiniteValueError extends SluiceError {
  constructor(what: string, row: number, value: number) {
    super(
      'non-finite-value',
      `${what} holds ${value} in row ${row}. Check that row's input and its preprocessing (mean, std, corrupt file).`,
    )
  }
}

/** A pluggable object was written for a contract version that this release does not know. */
export class UnsupportedVersionError extends SluiceError {
  constructor(what: string, actual: unknown, supported: string) {
    super(
      'unsupported-version',
      `${what} has specVersion ${JSON.stringify(actual)}; this release supports '${supported}'. Install matching versions of its package and @sluice/core.`,
    )
  }
}

/** Something was used after `dispose()`. */
export class DisposedError extends SluiceError {
  constructor(what: string) {
    super('disposed', `${what} was used after dispose(). Create or load it again.`)
  }
}

/** A backend cannot run this bundle: its format or a needed ability is not among its capabilities. */
export class UnsupportedBundleError extends SluiceError {
  constructor(backend: string, reason: string) {
    super('unsupported-bundle', `The ${backend} backend cannot run this bundle: ${reason}`)
  }
}

/** An exit policy broke its contract, e.g. returned a mask of the wrong length. */
export class PolicyContractError extends SluiceError {
  constructor(policy: string, problem: string) {
    super('policy-contract', `Exit policy '${policy}' broke its contract: ${problem}`)
  }
}

/** A backend broke its contract, e.g. gave scores for another number of rows. */
export class BackendContractError extends SluiceError {
  constructor(problem: string) {
    super(
      'backend-contract',
      `The backend broke its contract: ${problem} Check that the bundle belongs to this network, and run describeBackend of @sluice/conformance on the adapter.`,
    )
  }
}
