import { SluiceError } from '@sluice/core'

/** A network's description is not one that a network can be planned from. */
export class InvalidNetworkConfigError extends SluiceError {
  constructor(problem: string) {
    super('invalid-network-config', `The network's config is invalid: ${problem}`)
  }
}

/** Weights and a network plan do not belong together. */
export class WeightMismatchError extends SluiceError {
  constructor(problem: string) {
    super('weight-mismatch', problem)
  }
}
