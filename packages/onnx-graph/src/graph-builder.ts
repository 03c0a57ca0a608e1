import { create } from '@bufbuild/protobuf'
import type { DataType, Tensor } from '@sluice/core'
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.ts'
import { type OnnxModel, wrapOnnxModel } from './onnx-model.ts'
import { convertTensorToTensorProto, elementTypeCode } from './tensor-proto.ts'

/** A declared dimension: a size, or the name of a symbolic one. */
export type Dimension = number | string

/** An attribute value as code writes it. Whole numbers become INT(S) unless wrapped by {@link float}. */
export type AttributeValue = number | string | readonly number[] | Tensor | GraphProto | FloatAttribute

/** A FLOAT or FLOATS attribute. */
export interface FloatAttribute {
  readonly float: number | readonly number[]
}

/** Marks a number as a FLOAT attribute, e.g. `float(1)` for `alpha`. */
export function float(value: number | readonly number[]): FloatAttribute {
  return { float: value }
}

/** Appends nodes and names to one graph. Tensors are addressed by name, as in the file. */
export interface GraphBuilder {
  /** Declares an input; returns its name. */
  input(name: string, type: DataType, dims: readonly Dimension[]): string
  /** Stores a constant; returns its name. The builder keeps `tensor.data`. */
  initializer(name: string, tensor: Tensor): string
  /** Appends a node with one output; returns that output's name (fresh unless given). */
  node(opType: string, inputs: readonly string[], attributes?: Attributes, outputName?: string): string
  /** Appends a node with several outputs, given by their names or by their number; returns the names. */
  nodes(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[] | number,
    attributes?: Attributes,
  ): readonly string[]
  /** Declares an output by the name of an existing tensor. */
  output(name: string, type: DataType, dims: readonly Dimension[]): void
  /** Declares what a tensor between nodes is. */
  declare(info: ValueInfoProto): void
  /** The graph so far, e.g. as the body of a `Loop`. */
  buildGraph(): GraphProto
  /** The graph as a model. */
  buildModel(): OnnxModel
}

export interface Attributes {
  readonly [name: string]: AttributeValue
}

export interface GraphBuilderOptions {
  readonly name: string
  /** Default operator set of `buildModel`. */
  readonly opset?: number
  /** Put in front of every fresh name, so that graphs merged later do not clash. */
  readonly prefix?: string
}

/** The IR version that goes with operator sets up to 17; ONNX Runtime 1.12 and later read it. */
const irVersion = 8n

/** An empty graph to append to. */
export function createGraphBuilder({ name, opset = 17, prefix = '' }: GraphBuilderOptions): GraphBuilder {
  const node: NodeProto[] = []
  const initializer: TensorProto[] = []
  const input: ValueInfoProto[] = []
  const output: ValueInfoProto[] = []
  const valueInfo: ValueInfoProto[] = []
  let counter = 0
  const append = (opType: string, inputs: readonly string[], outputs: readonly string[], attributes: Attributes) => {
    const attribute = Object.entries(attributes).map(([key, value]) => createAttribute(key, value))
    const label = `${prefix}${opType}_${node.length}`
    node.push(create(NodeProtoSchema, { opType, name: label, input: [...inputs], output: [...outputs], attribute }))
  }
  const freshName = (opType: string) => `${prefix}${opType.toLowerCase()}_${counter++}`
  const buildGraph = () => create(GraphProtoSchema, { name, node, initializer, input, output, valueInfo })
  return {
    input(inputName, type, dims) {
      input.push(createValueInfo(inputName, type, dims))
      return inputName
    },
    initializer(tensorName, tensor) {
      initializer.push(convertTensorToTensorProto(`${prefix}${tensorName}`, tensor))
      return `${prefix}${tensorName}`
    },
    node(opType, inputs, attributes = {}, outputName = freshName(opType)) {
      append(opType, inputs, [outputName], attributes)
      return outputName
    },
    nodes(opType, inputs, outputs, attributes = {}) {
      const names = typeof outputs === 'number' ? Array.from({ length: outputs }, () => freshName(opType)) : outputs
      append(opType, inputs, names, attributes)
      return names
    },
    output(outputName, type, dims) {
      output.push(createValueInfo(outputName, type, dims))
    },
    declare(info) {
      valueInfo.push(info)
    },
    buildGraph,
    buildModel() {
      const opsetImport = [{ domain: '', version: BigInt(opset) }]
      const proto = create(ModelProtoSchema, { irVersion, producerName: 'sluice', graph: buildGraph(), opsetImport })
      return wrapOnnxModel(proto, name, null)
    },
  }
}

/** An attribute message from a plain value. */
export function createAttribute(name: string, value: AttributeValue): AttributeProto {
  return create(AttributeProtoSchema, { name, ...attributeFields(value) })
}

/** A typed and shaped name, as inputs, outputs and value infos are declared. */
export function createValueInfo(name: string, type: DataType, dims: readonly Dimension[]): ValueInfoProto {
  const dim = dims.map((dimension) => ({
    value:
      typeof dimension === 'number'
        ? { case: 'dimValue' as const, value: BigInt(dimension) }
        : { case: 'dimParam' as const, value: dimension },
  }))
  const tensorType = { elemType: elementTypeCode(type), shape: { dim } }
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  })
}

function attributeFields(value: AttributeValue) {
  if (typeof value === 'number') return { type: AttributeType.INT, i: BigInt(value) }
  if (typeof value === 'string') return { type: AttributeType.STRING, s: new TextEncoder().encode(value) }
  if (isNumberList(value)) return { type: AttributeType.INTS, ints: value.map(BigInt) }
  if ('float' in value) return floatFields(value.float)
  if ('$typeName' in value) return { type: AttributeType.GRAPH, g: value }
  return { type: AttributeType.TENSOR, t: convertTensorToTensorProto('', value) }
}

function floatFields(value: number | readonly number[]) {
  return typeof value === 'number'
    ? { type: AttributeType.FLOAT, f: value }
    : { type: AttributeType.FLOATS, floats: [...value] }
}

function isNumberList(value: AttributeValue): value is readonly number[] {
  return Array.isArray(value)
}
