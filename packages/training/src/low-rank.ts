import type { HeadLayer } from '@sluice/onnx-graph'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { LayerShape } from './dense-layers.ts'

/** Whether two layers of the given rank between them have fewer weights than the layer itself. */
export function savesWeights({ inputs, outputs }: LayerShape, rank: number): boolean {
  return rank * (inputs + outputs) < inputs * outputs
}

/**
 * Two layers in place of one: the first projects onto the `rank` principal components of the layer's pre-activations,
 * the second maps back and has the layer's activation. No other layers of that rank yield pre-activations closer to the
 * given ones in the mean square (Zhang et al., arXiv 1505.06798, 3.1).
 *
 * @param preActivations what the layer yields before its activation, `[rows, outputs]`
 * @param rank 1 <= rank <= outputs
 */
export function factoriseLayer(layer: HeadLayer, preActivations: Float32Array, rank: number): [HeadLayer, HeadLayer] {
  const { inputs, outputs, activation } = layer
  const sample = Matrix.from1DArray(preActivations.length / outputs, outputs, preActivations)
  const mean = sample.mean('column')
  sample.center('column', { center: mean })
  // Eigenvalues come in ascending order.
  const { eigenvectorMatrix } = new EigenvalueDecomposition(sample.transpose().mmul(sample), { assumeSymmetric: true })
  const components = eigenvectorMatrix.subMatrix(0, outputs - 1, outputs - rank, outputs - 1)
  const weights = Matrix.from1DArray(inputs, outputs, layer.weights).mmul(components)
  const offset = Matrix.rowVector(Array.from(layer.bias, (value, index) => value - (mean[index] as number)))
  const bias = offset.mmul(components)
  return [
    { inputs, outputs: rank, activation: 'none', weights: flatten(weights), bias: flatten(bias) },
    { inputs: rank, outputs, activation, weights: flatten(components.transpose()), bias: Float32Array.from(mean) },
  ]
}

function flatten(matrix: Matrix): Float32Array {
  return Float32Array.from(matrix.to1DArray())
}
