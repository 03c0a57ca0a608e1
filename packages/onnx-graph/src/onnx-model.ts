import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { InvalidOnnxFileError } from './errors.ts'
import { type GraphProto, type ModelProto, ModelProtoSchema } from './generated/onnx_pb.ts'

/**
 * Reads `length` bytes at `offset` of a file that a model names as external data; `length` undefined reads to the end.
 * The location is as the model spells it, relative to the model's folder.
 */
export type ExternalDataReader = (location: string, offset: number, length: number | undefined) => Uint8Array

/** A parsed ONNX model. Treat as immutable: functions of this package return new models that share weights. */
export interface OnnxModel {
  readonly proto: ModelProto
  readonly graph: GraphProto
  /** Version of the default operator set. */
  readonly opset: number
  /** How to get at weights kept outside the model; null when there is no place to look. */
  readonly externalData: ExternalDataReader | null
}

/** Where a model comes from, for messages and external data. */
export interface ReadOnnxModelOptions {
  readonly source?: string
  readonly externalData?: ExternalDataReader
}

/**
 * Parses a model. Weights are views into `bytes`, which must not change afterwards. Unknown fields are kept.
 * @throws InvalidOnnxFileError for anything that is not a whole ONNX model
 */
export function readOnnxModel(bytes: Uint8Array, options: ReadOnnxModelOptions = {}): OnnxModel {
  const source = options.source ?? 'The model'
  return wrapOnnxModel(parse(bytes, source), source, options.externalData ?? null)
}

/** Serialises a model; the caller owns the bytes. */
export function writeOnnxModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  return toBinary(ModelProtoSchema, model.proto)
}

/** Checks a parsed message for what every ONNX model has. @throws InvalidOnnxFileError */
export function wrapOnnxModel(proto: ModelProto, source: string, externalData: ExternalDataReader | null): OnnxModel {
  const { graph } = proto
  if (graph === undefined || graph.output.length === 0) {
    throw new InvalidOnnxFileError(source, 'it holds no graph with outputs. Export the model to ONNX again.')
  }
  const opset = proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version
  if (opset === undefined) {
    throw new InvalidOnnxFileError(source, 'it names no default operator set. Export the model to ONNX again.')
  }
  return { proto, graph, opset: Number(opset), externalData }
}

function parse(bytes: Uint8Array, source: string): ModelProto {
  if (bytes.length === 0) throw new InvalidOnnxFileError(source, 'it is empty.')
  try {
    return fromBinary(ModelProtoSchema, bytes)
  } catch (cause) {
    const problem = 'its bytes are not a whole ONNX protobuf message. Check that the file is complete.'
    throw new InvalidOnnxFileError(source, problem, { cause })
  }
}
