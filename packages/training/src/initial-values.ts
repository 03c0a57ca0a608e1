import type { HeadLayer, HeadLayerShape } from '@sluice/onnx-graph'
import type { Random } from './random.ts'

/**
 * Layers before the first step: normal weights of variance 2 / inputs (He et al., arXiv 1502.01852) where a ReLU
 * follows, and zeros elsewhere, so that all classes start level.
 */
export function drawInitialLayers(shapes: readonly HeadLayerShape[], random: Random): HeadLayer[] {
  return shapes.map((shape) => {
    const weights = new Float32Array(shape.inputs * shape.outputs)
    if (shape.activation === 'relu') fillNormal(weights, Math.sqrt(2 / shape.inputs), random)
    return { ...shape, weights, bias: new Float32Array(shape.outputs) }
  })
}

function fillNormal(data: Float32Array, deviation: number, random: Random): void {
  for (let index = 0; index < data.length; index++) data[index] = deviation * random.normal()
}
