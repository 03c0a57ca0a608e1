import { SluiceError } from '@sluice/core'

/** The bytes are not an ONNX model, or the file ends too early. */
export class InvalidOnnxFileError extends SluiceError {
  constructor(source: string, problem: string, options?: { readonly cause?: unknown }) {
    super('invalid-onnx-file', `${source} cannot be read as an ONNX model: ${problem}`, options)
  }
}

/** The graph uses something that a requested operation cannot handle. */
export class UnsupportedGraphError extends SluiceError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('unsupported-graph', message, options)
  }
}

/** An operator has no shape and cost rule, so that costs behind it are unknown. */
export class UnknownOperatorError extends SluiceError {
  constructor(operator: string, node: string) {
    super(
      'unknown-operator',
      `Operator ${operator} (node '${node}') has no shape and cost rule. Add one under packages/onnx-graph/src/operators, or cut the network before it.`,
    )
  }
}

/** Weights that a model keeps in another file are needed and cannot be read. */
export class ExternalDataError extends SluiceError {
  constructor(location: string, problem: string, options?: { readonly cause?: unknown }) {
    super('external-data', `External data file '${location}' ${problem}`, options)
  }
}

/** A node contradicts its inputs, so that its outputs have no shape. */
export class ShapeInferenceError extends SluiceError {
  constructor(operator: string, node: string, problem: string) {
    super(
      'shape-inference',
      `${operator} (node '${node}') does not fit its inputs: ${problem}. Check the declared input shape (--input), or export the model again.`,
    )
  }
}

/** A shape depends on values that are only known when the network runs. */
export class DataDependentShapeError extends SluiceError {
  constructor(operator: string, node: string, tensor: string) {
    super(
      'data-dependent-shape',
      `The output shape of ${operator} (node '${node}') depends on the values of '${tensor}', which are not constant. Export the model with static shapes except for the batch, or cut the network before it.`,
    )
  }
}
