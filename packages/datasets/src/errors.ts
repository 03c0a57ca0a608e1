import { InvalidArgumentError, SluiceError } from '@sluice/core'

/** A DATA string is not of the form that the command's contract gives it. */
export class DataSpecError extends InvalidArgumentError {
  constructor(spec: string, problem: string) {
    super(`Data '${spec}': ${problem}`)
  }
}

/** Files of a dataset are missing, damaged or not what they should be. */
export class DatasetError extends SluiceError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('dataset', message, options)
  }
}

/** The data know another number of classes than the network. */
export class ClassCountMismatchError extends SluiceError {
  constructor(dataset: string, actual: number, expected: number) {
    super(
      'class-count-mismatch',
      `${dataset} has ${actual} classes and the network ${expected}; pass the data that the network was trained for.`,
    )
  }
}
