import type { HeadLayer } from '@sluice/onnx-graph'
import type { Standardisation } from './standardisation.ts'

/**
 * The layer that does to raw features what `layer` does to standardised ones: `((x - mean) * scale) W + b` is
 * `x (scale W) + (b - (mean * scale) W)`.
 */
export function foldStandardisation(layer: HeadLayer, { mean, scale }: Standardisation): HeadLayer {
  const { inputs, outputs } = layer
  const weights = new Float32Array(layer.weights.length)
  const bias = Float64Array.from(layer.bias)
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++) {
      const index = input * outputs + output
      const weight = (layer.weights[index] as number) * (scale[input] as number)
      weights[index] = weight
      bias[output] = (bias[output] as number) - weight * (mean[input] as number)
    }
  }
  return { ...layer, weights, bias: Float32Array.from(bias) }
}
