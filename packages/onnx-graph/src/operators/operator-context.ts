import type { Tensor } from '@sluice/core'
import { DataDependentShapeError, ShapeInferenceError } from '../errors.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
} from '../generated/onnx_pb.ts'
import type { OnnxModel } from '../onnx-model.ts'
import type { TensorInfo } from '../tensor-info.ts'
import { convertTensorProtoToTensor } from '../tensor-proto.ts'

/** One node as its rule sees it: checked access to inputs and attributes. */
export interface OperatorContext {
  readonly node: NodeProto
  readonly opset: number
  /** The inputs in order; undefined for an optional one that is left out. */
  readonly inputs: readonly (TensorInfo | undefined)[]
  /** An input that the operator cannot do without. @throws ShapeInferenceError when it is left out */
  input(index: number): TensorInfo
  /**
   * The values of an input that the output's shape depends on; undefined when the input is left out.
   * @throws DataDependentShapeError when they are not constant
   */
  constant(index: number): number[] | undefined
  /** An INT attribute. @throws ShapeInferenceError when it has another kind, as all attribute getters do */
  int(name: string): number | undefined
  ints(name: string): number[] | undefined
  string(name: string): string | undefined
  /** The attribute message itself, of whatever kind. */
  attribute(name: string): AttributeProto | undefined
  /** A TENSOR attribute's value. */
  tensor(name: string): Tensor | undefined
  /** The error to throw when the node contradicts its inputs. */
  error(problem: string): ShapeInferenceError
}

/** Gives a node's rule access to the node. */
export function createOperatorContext(
  model: OnnxModel,
  node: NodeProto,
  inputs: readonly (TensorInfo | undefined)[],
): OperatorContext {
  const error = (problem: string) => new ShapeInferenceError(node.opType, node.name, problem)
  const attribute = (name: string) => node.attribute.find((candidate) => candidate.name === name)
  const typed = (name: string, type: AttributeType) => {
    const found = attribute(name)
    if (found === undefined || found.type === type) return found
    throw error(`its attribute '${name}' is of kind ${AttributeType[found.type]}, not ${AttributeType[type]}`)
  }
  return {
    node,
    opset: model.opset,
    inputs,
    input(index) {
      const found = inputs[index]
      if (found === undefined) throw error(`its input ${index} is left out`)
      return found
    },
    constant(index) {
      const found = inputs[index]
      if (found === undefined) return undefined
      if (found.value === null) throw new DataDependentShapeError(node.opType, node.name, node.input[index] ?? '')
      return Array.from(found.value.data, Number)
    },
    int(name) {
      const found = typed(name, AttributeType.INT)
      return found && Number(found.i)
    },
    ints: (name) => typed(name, AttributeType.INTS)?.ints.map(Number),
    string(name) {
      const found = typed(name, AttributeType.STRING)
      return found && new TextDecoder().decode(found.s)
    },
    attribute,
    tensor(name) {
      const proto = typed(name, AttributeType.TENSOR)?.t
      return proto && convertTensorProtoToTensor(proto, model.externalData)
    },
    error,
  }
}
