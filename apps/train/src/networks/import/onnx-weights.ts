import { convertTensorProtoToTensor, dimsOf, type OnnxModel } from '@sluice/onnx-graph'
import { WeightMismatchError } from '../errors.ts'
import { permute } from '../export/permute.ts'
import type { OnnxParameter } from './weighted-operations.ts'

/** The weights in an ONNX file. */
export interface OnnxWeights {
  has(name: string): boolean
  /**
   * A weight in TensorFlow's layout; the caller owns it.
   * @throws WeightMismatchError when it is missing, of another shape or not float32
   */
  read(name: string, parameter: OnnxParameter): Float32Array
}

/** The weights of `model`, read when asked for. */
export function createOnnxWeights({ graph, externalData }: OnnxModel): OnnxWeights {
  const initializers = new Map(graph.initializer.map((proto) => [proto.name, proto]))
  return {
    has: (name) => initializers.has(name),
    read(name, { description, dims, permutation }) {
      const proto = initializers.get(name)
      if (proto === undefined) {
        throw new WeightMismatchError(`The ONNX file has no weight '${name}' for '${description.name}'.`)
      }
      if (dimsOf(proto).join() !== dims.join()) {
        throw new WeightMismatchError(
          `Weight '${name}' has shape [${dimsOf(proto).join(', ')}], but '${description.name}' needs [${dims.join(', ')}]. Describe the network that the file holds.`,
        )
      }
      const { type, data } = convertTensorProtoToTensor(proto, externalData)
      if (data instanceof Float32Array) return permute(data, dims, invert(permutation))
      throw new WeightMismatchError(`Weight '${name}' has type ${type}; only float32 weights are imported.`)
    },
  }
}

function invert(permutation: readonly number[]): number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis))
}
